import { appendFileSync, cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Queue as Jobs } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  assertDelivered,
  assertRejects,
  commandWithData,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import { ArchivedQueue, replayed, storeAll } from '../support/archived-queue.ts';
import { smallArchive } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const ada = parseSessionId('ada');
const sessions = someSessions.slice(0, 10);
let archived: ArchivedQueue;
beforeEach(() => {
  archived = new ArchivedQueue(serverAt(redis.server.port));
});
afterEach(() => archived[Symbol.dispose]());

/** The last segment file of a shard. */
function lastSegment(shard: number): string {
  return archived.folder(
    `shard-${shard}`,
    readdirSync(archived.folder(`shard-${shard}`))
      .sort()
      .at(-1) ?? '',
  );
}

test('what any BullMQ client added is archived as it was, events or not, in its shard or not', async () => {
  await using queue = await archived.open();
  const connection = rawClient(redis.server.port);
  const outside = new Jobs('commands-1', { connection, prefix: `{${archived.prefix}}` });
  await outside.addBulk([
    { name: 'any', data: { events: [{ type: 'macp.log.append.v1' }, 7, null] } },
    { name: 'any', data: { nothing: 'of ours', time: 'é' } },
  ]);
  await queue.publish(someCommands(sessions, 1, 1));
  const show = (deliveries: readonly QueuedDelivery[]) =>
    deliveries.map((each) => [each.position, each.content.kind, each.message(), each.recordDigest()]);
  const waiting = show(await replayed(queue));
  await storeAll(queue);
  await expect.poll(() => redis.client.llen(`{${archived.prefix}}:commands-1:wait`)).toBe(0);
  expect(show(await replayed(queue))).toEqual(waiting);
  await outside.close();
  connection.disconnect();
});

test('a torn tail counts for nothing, and a damaged or missing part is refused', async () => {
  {
    await using queue = await archived.open();
    for (let round = 1; round <= 8; round += 1) await queue.publish(someCommands(sessions, round, round));
    await storeAll(queue);
  }
  for (const shard of [0, 1, 2]) appendFileSync(lastSegment(shard), Buffer.alloc(100 + shard * 500, shard + 1));
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 9, 9));
    await storeAll(queue);
    assertDelivered(await replayed(queue), someCommands(sessions, 1, 9));
  }
  const whole = `${archived.directory}-whole`;
  cpSync(archived.directory, whole, { recursive: true });
  const refused = async (code: 'QUEUE_CORRUPT' | 'SOURCE_LOST_HISTORY'): Promise<void> => {
    await using queue = await archived.open();
    await assertRejects(code, queue.consume(startingAt()));
    rmSync(archived.directory, { recursive: true });
    cpSync(whole, archived.directory, { recursive: true });
  };
  const [, second = ''] = readdirSync(archived.folder('shard-1')).sort();
  rmSync(archived.folder('shard-1', second));
  await refused('QUEUE_CORRUPT');
  rmSync(lastSegment(1));
  await refused('SOURCE_LOST_HISTORY');
  rmSync(archived.folder('shard-2'), { recursive: true });
  await refused('SOURCE_LOST_HISTORY');
  rmSync(whole, { recursive: true });
  await using queue = await archived.open();
  assertDelivered(await storeAll(queue), someCommands(sessions, 1, 9));
});

test('what is stored goes by size, and by age, and what is not stored stays', async () => {
  let ahead = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const archive = {
    ...smallArchive(archived.directory),
    retention: { ageMs: 60_000, bytes: 3 * 12_000 },
    segmentBytes: 3_000,
  };
  await using queue = await archived.open({ clock, archive });
  const bytes = () =>
    [0, 1, 2].map((shard) =>
      readdirSync(archived.folder(`shard-${shard}`)).reduce(
        (sum, name) => sum + statSync(archived.folder(`shard-${shard}`, name)).size,
        0,
      ),
    );
  for (let round = 1; round <= 40; round += 1) await queue.publish(someCommands(sessions, round, round));
  {
    await using consumer = await queue.consume(startingAt());
    const all = await takeCount(consumer, 400);
    expect(Math.min(...bytes())).toBeGreaterThan(20_000);
    await consumer.acknowledge(positionsAfter(all.filter(({ position }) => position.offset < 20)));
    for (const { start } of (await queue.bounds()).values()) expect(start).toBeLessThanOrEqual(20);
    await consumer.acknowledge(positionsAfter(all));
    await expect.poll(() => Math.max(...bytes())).toBeLessThanOrEqual(12_000);
    expect(Math.min(...bytes())).toBeGreaterThan(6_000);
    ahead = 61_000;
    await consumer.acknowledge(positionsAfter(all));
    await expect.poll(() => Math.max(...bytes())).toBeLessThanOrEqual(4_500);
  }
  const bounds = [...(await queue.bounds()).values()];
  expect((await replayed(queue)).length).toBe(bounds.reduce((sum, { start, end }) => sum + end - start, 0));
});

test('a replay that retention overtakes ends with SOURCE_LOST_HISTORY, and passes nothing over', async () => {
  await using queue = await archived.open();
  const published = Array.from({ length: 50 }, (_, at) => commandWithData(ada, at + 1, Buffer.alloc(100_000, 'x')));
  for (const command of published) await queue.publish([command]);
  await storeAll(queue);
  const shard = partitionOf(ada, 3);
  const { length } = readdirSync(archived.folder(`shard-${shard}`));
  const read: QueuedDelivery[] = [];
  const replay = async (): Promise<void> => {
    for await (const batch of queue.replay({ limits: { deliveries: 1, bytes: 1 } })) {
      read.push(...batch);
      for (const name of readdirSync(archived.folder(`shard-${shard}`))
        .sort()
        .slice(0, -1)) {
        rmSync(archived.folder(`shard-${shard}`, name));
      }
    }
  };
  expect(length).toBeGreaterThan(40);
  await assertRejects('SOURCE_LOST_HISTORY', replay());
  assertDelivered(read, published.slice(0, read.length));
});

test('where Redis is gone, the archive is replayed by itself', async () => {
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 1, 5));
    await storeAll(queue);
  }
  await using alone = await openArchive({ directory: archived.folder(), fileSystem: nodeFileSystem });
  assertDelivered(await replayed(alone), someCommands(sessions, 1, 5));
  for (const none of [archived.directory, join(archived.directory, 'nowhere')]) {
    await assertRejects('INVALID_CONFIGURATION', openArchive({ directory: none, fileSystem: nodeFileSystem }));
  }
});
