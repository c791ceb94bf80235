import { expect, test } from 'vitest';
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
import type { Queue, QueuedDelivery, ReplayOptions } from '../../src/ports/queue.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();

async function replayed(queue: Queue, options: Partial<ReplayOptions> = {}): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  const limits = { deliveries: 11, bytes: anyLimits.bytes };
  for await (const batch of queue.replay({ limits, ...options })) {
    expect(batch.length).toBeLessThanOrEqual(limits.deliveries);
    deliveries.push(...batch);
  }
  return deliveries;
}

test('what waits replays from any offset, before any end and before any time, and what was stored does not', async () => {
  await using queue = await openBullmqAt(serverAt(redis.server.port), uniquePrefix());
  await queue.publish(someCommands(someSessions, 1, 3));
  const split = Date.now() + 1;
  await expect.poll(() => Date.now()).toBeGreaterThan(split);
  await queue.publish(someCommands(someSessions, 4, 4));
  const all = await replayed(queue);
  assertDelivered(all, someCommands(someSessions, 1, 4));
  assertDelivered(await replayed(queue, { before: split }), someCommands(someSessions, 1, 3));
  const from = positionsAfter(all.filter(({ position }) => position.offset < 7));
  const ends = new Map([...(await queue.bounds()).keys()].map((shard) => [shard, 12]));
  const part = await replayed(queue, { from, ends });
  expect(part.map(({ position }) => position.offset)).toEqual([7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 7, 8, 9, 10, 11]);
  const other = new Map([[0, { next: 7, digest: all[0]?.recordDigest() }]]);
  await assertRejects('SOURCE_LOST_HISTORY', replayed(queue, { from: other }));
  await using consumer = await queue.consume(startingAt());
  await consumer.acknowledge(positionsAfter(await takeCount(consumer, all.length)));
  await expect.poll(() => replayed(queue)).toEqual([]);
});
