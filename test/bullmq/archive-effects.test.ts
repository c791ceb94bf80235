import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  anyLimits,
  assertDelivered,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
} from '../../src/conformance/queue-samples.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { StoredPosition } from '../../src/domain/plan.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import type { FileSystem } from '../../src/ports/file-system.ts';
import type { QueuedDelivery, ReplaySource } from '../../src/ports/queue.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import { openBullmqAt, smallArchive } from '../support/bullmq.ts';
import { filesUntil } from '../support/hooked-files.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { freshDirectory } from '../support/program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const rounds = 6;
const sessions = someSessions.slice(0, 12);

function open(prefix: string, directory: string, fileSystem: FileSystem = nodeFileSystem): Promise<BullmqQueue> {
  const archive = { ...smallArchive(directory), fileSystem, segmentBytes: 1_500 };
  return openBullmqAt(serverAt(redis.server.port), prefix, { archive });
}

/** What has come of a worker, whose store this is: `positions` are committed. */
interface Work {
  readonly positions: Map<number, StoredPosition>;
  readonly deliveries: QueuedDelivery[];
}

/** Consumes all there is, commit by commit, until the archive fails. */
async function work(queue: BullmqQueue, { positions, deliveries }: Work): Promise<void> {
  const wanted = rounds * sessions.length;
  try {
    await using consumer = await queue.consume(startingAt(positions));
    while (deliveries.length < wanted) {
      const taken = await consumer.take({ deliveries: 7, bytes: 1e6 });
      const next = positionsAfter(taken);
      for (const [partition, position] of next) positions.set(partition, position);
      deliveries.push(...taken);
      await consumer.acknowledge(next);
    }
  } catch (error) {
    if (!isPersistenceError(error, 'QUEUE_IO_FAILED')) throw error;
  }
}

/** By itself, without Redis; undefined where nothing was archived. */
async function archiveIn(directory: string): Promise<ReplaySource | undefined> {
  const [folder] = readdirSync(directory);
  if (folder === undefined) return undefined;
  return await openArchive({ directory: join(directory, folder), fileSystem: nodeFileSystem }).catch(
    (error: unknown) => {
      if (isPersistenceError(error, 'INVALID_CONFIGURATION')) return undefined;
      throw error;
    },
  );
}

async function replayed(source: ReplaySource): Promise<readonly QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of source.replay({ limits: anyLimits })) deliveries.push(...batch);
  return deliveries;
}

/** Every record with its digest, shard by shard. */
function records(deliveries: readonly QueuedDelivery[]): readonly string[] {
  const byShard = deliveries.toSorted((one, other) => one.position.partition - other.position.partition);
  return byShard.map((each) => `${each.position.partition}/${each.position.offset} ${each.recordDigest()}`);
}

test('whatever a worker dies of between archive and store, the archive is ahead of the store, and whole in the end', async () => {
  let isDone = false;
  let last = 0;
  for (last = 1; !isDone; last += 1) {
    const [prefix, directory] = [uniquePrefix(), freshDirectory()];
    const did: Work = { positions: new Map(), deliveries: [] };
    const { files, isOver } = filesUntil(last, (last * 37) % 400);
    {
      await using queue = await open(prefix, directory, files);
      for (let round = 1; round <= rounds; round += 1) await queue.publish(someCommands(sessions, round, round));
      await work(queue, did);
      isDone = !isOver();
    }
    const ends = await (await archiveIn(directory))?.bounds();
    for (const [shard, { next }] of did.positions) expect(ends?.get(shard)?.end).toBeGreaterThanOrEqual(next);
    {
      await using queue = await open(prefix, directory);
      await work(queue, did);
      assertDelivered(did.deliveries, someCommands(sessions, 1, rounds));
      expect(records(await replayed(queue))).toEqual(records(did.deliveries));
    }
    const archive = await archiveIn(directory);
    expect(archive && records(await replayed(archive))).toEqual(records(did.deliveries));
    rmSync(directory, { recursive: true });
  }
  expect(last).toBeGreaterThan(40);
});
