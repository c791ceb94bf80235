import { appendFileSync, cpSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Queue as Jobs } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  anyLimits,
  assertDelivered,
  assertRejects,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery, ReplaySource } from '../../src/ports/queue.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import type { BullmqQueueOptions } from '../../src/queues/bullmq/open-bullmq-queue.ts';
import { openBullmqAt, smallArchive } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { freshDirectory } from '../support/program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const sessions = someSessions.slice(0, 10);
let prefix = '';
let directory = '';
beforeEach(() => {
  prefix = uniquePrefix();
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

function open(options: Partial<BullmqQueueOptions> = {}): Promise<BullmqQueue> {
  return openBullmqAt(serverAt(redis.server.port), prefix, { archive: smallArchive(directory), ...options });
}

/** Consumes all that waits, and says that it is stored. */
async function storeAll(queue: BullmqQueue): Promise<readonly QueuedDelivery[]> {
  const bounds = [...(await queue.bounds()).values()];
  await using consumer = await queue.consume(startingAt());
  const deliveries = await takeCount(
    consumer,
    bounds.reduce((sum, { start, end }) => sum + end - start, 0),
  );
  await consumer.acknowledge(positionsAfter(deliveries));
  return deliveries;
}

async function replayed(source: ReplaySource): Promise<readonly QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of source.replay({ limits: anyLimits })) deliveries.push(...batch);
  return deliveries;
}

/** The folder of the queue, and that of a shard. */
function folder(...names: readonly string[]): string {
  const [queue = ''] = readdirSync(directory);
  return join(directory, queue, ...names);
}

/** The last segment file of a shard. */
function lastSegment(shard: number): string {
  return folder(
    `shard-${shard}`,
    readdirSync(folder(`shard-${shard}`))
      .sort()
      .at(-1) ?? '',
  );
}

test('what any BullMQ client added is archived as it was, events or not, in its shard or not', async () => {
  await using queue = await open();
  const connection = rawClient(redis.server.port);
  const outside = new Jobs('commands-1', { connection, prefix: `{${prefix}}` });
  await outside.addBulk([
    { name: 'any', data: { events: [{ type: 'macp.log.append.v1' }, 7, null] } },
    { name: 'any', data: { nothing: 'of ours', time: 'é' } },
  ]);
  await queue.publish(someCommands(sessions, 1, 1));
  const show = (deliveries: readonly QueuedDelivery[]) =>
    deliveries.map((each) => [each.position, each.content.kind, each.message(), each.recordDigest()]);
  const waiting = show(await replayed(queue));
  await storeAll(queue);
  await expect.poll(() => redis.client.llen(`{${prefix}}:commands-1:wait`)).toBe(0);
  expect(show(await replayed(queue))).toEqual(waiting);
  await outside.close();
  connection.disconnect();
});

test('a worker without the archive, or with another directory, is refused; publishers are not', async () => {
  {
    await using queue = await open();
    await queue.publish(someCommands(sessions, 1, 1));
    await storeAll(queue);
  }
  await using without = await open({ archive: undefined });
  expect(without.capabilities.replayable).toBe(false);
  await without.publish(someCommands(sessions, 2, 2));
  await assertRejects('INVALID_CONFIGURATION', without.consume(startingAt()));
  const elsewhere = freshDirectory();
  await using other = await open({ archive: smallArchive(elsewhere) });
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
  await assertRejects('INVALID_CONFIGURATION', replayed(other));
  await assertRejects('INVALID_CONFIGURATION', other.bounds());
  rmSync(elsewhere, { recursive: true });
  await using queue = await open();
  assertDelivered(await replayed(queue), someCommands(sessions, 1, 2));
});

test('the archive of another queue is refused, wherever it was put', async () => {
  await using queue = await open();
  await queue.publish(someCommands(sessions, 1, 1));
  await storeAll(queue);
  const [first = ''] = readdirSync(directory);
  prefix = uniquePrefix();
  await using other = await open();
  await other.publish(someCommands(sessions, 1, 1));
  const second = other.source.slice('bullmq:'.length);
  renameSync(join(directory, first), join(directory, second));
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
  await assertRejects('INVALID_CONFIGURATION', queue.bounds());
  renameSync(join(directory, second), join(directory, first));
  await storeAll(other);
  rmSync(join(directory, second, 'shard-1'), { recursive: true });
  cpSync(join(directory, first, 'shard-1'), join(directory, second, 'shard-1'), { recursive: true });
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
});

test('an archive is given up by its id: another one begins, or none, and nothing of the old one counts', async () => {
  {
    await using queue = await open();
    await queue.publish(someCommands(sessions, 1, 2));
    await storeAll(queue);
  }
  const [, id = ''] =
    readdirSync(folder())
      .find((name) => name.endsWith('.archive'))
      ?.split('.') ?? [];
  {
    await using same = await open({ givenUpArchive: id });
    await assertRejects('INVALID_CONFIGURATION', same.consume(startingAt()));
  }
  const old = `${directory}-old`;
  renameSync(directory, old);
  {
    await using wrong = await open({ givenUpArchive: 'another' });
    await assertRejects('INVALID_CONFIGURATION', wrong.consume(startingAt()));
  }
  {
    await using next = await open({ givenUpArchive: id });
    await next.publish(someCommands(sessions, 3, 3));
    assertDelivered(await storeAll(next), someCommands(sessions, 3, 3));
    expect([...(await next.bounds()).values()].every(({ start }) => start > 0)).toBe(true);
  }
  const [, second = ''] =
    readdirSync(folder())
      .find((name) => name.endsWith('.archive'))
      ?.split('.') ?? [];
  await using none = await open({ archive: undefined, givenUpArchive: second });
  await none.publish(someCommands(sessions, 4, 4));
  await storeAll(none);
  await expect.poll(() => redis.client.llen(`{${prefix}}:commands-1:wait`)).toBe(0);
  rmSync(old, { recursive: true });
});

test('a torn tail counts for nothing, and a damaged or missing part is refused', async () => {
  {
    await using queue = await open();
    for (let round = 1; round <= 8; round += 1) await queue.publish(someCommands(sessions, round, round));
    await storeAll(queue);
  }
  for (const shard of [0, 1, 2]) appendFileSync(lastSegment(shard), Buffer.alloc(100 + shard * 500, shard + 1));
  {
    await using queue = await open();
    await queue.publish(someCommands(sessions, 9, 9));
    await storeAll(queue);
    assertDelivered(await replayed(queue), someCommands(sessions, 1, 9));
  }
  const whole = `${directory}-whole`;
  cpSync(directory, whole, { recursive: true });
  const refused = async (code: 'QUEUE_CORRUPT' | 'SOURCE_LOST_HISTORY'): Promise<void> => {
    await using queue = await open();
    await assertRejects(code, queue.consume(startingAt()));
    rmSync(directory, { recursive: true });
    cpSync(whole, directory, { recursive: true });
  };
  const [, second = ''] = readdirSync(folder('shard-1')).sort();
  rmSync(folder('shard-1', second));
  await refused('QUEUE_CORRUPT');
  rmSync(lastSegment(1));
  await refused('SOURCE_LOST_HISTORY');
  rmSync(folder('shard-2'), { recursive: true });
  await refused('SOURCE_LOST_HISTORY');
  rmSync(whole, { recursive: true });
  await using queue = await open();
  assertDelivered(await storeAll(queue), someCommands(sessions, 1, 9));
});

test('what is stored goes by size, and by age, and what is not stored stays', async () => {
  let ahead = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const archive = { ...smallArchive(directory), retention: { ageMs: 60_000, bytes: 3 * 12_000 }, segmentBytes: 3_000 };
  await using queue = await open({ clock, archive });
  const bytes = () =>
    [0, 1, 2].map((shard) =>
      readdirSync(folder(`shard-${shard}`)).reduce(
        (sum, name) => sum + statSync(folder(`shard-${shard}`, name)).size,
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

test('where Redis is gone, the archive is replayed by itself', async () => {
  {
    await using queue = await open();
    await queue.publish(someCommands(sessions, 1, 5));
    await storeAll(queue);
  }
  await using alone = await openArchive({ directory: folder(), fileSystem: nodeFileSystem });
  assertDelivered(await replayed(alone), someCommands(sessions, 1, 5));
  for (const none of [directory, join(directory, 'nowhere')]) {
    await assertRejects('INVALID_CONFIGURATION', openArchive({ directory: none, fileSystem: nodeFileSystem }));
  }
});
