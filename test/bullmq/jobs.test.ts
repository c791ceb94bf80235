import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import {
  anyLimits,
  assertDelivered,
  assertRejects,
  consumeAll,
  positionsAfter,
  someCommand,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import type { Consumer } from '../../src/ports/queue.ts';
import { eventOf, type JobEvent } from '../../src/queues/bullmq/job-events.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const ada = parseSessionId('ada');
const shards = 3;
const shard = partitionOf(ada, shards);

/** A queue of ours, and its shard of `ada` as any BullMQ client sees it. */
async function seenFromOutside() {
  const prefix = uniquePrefix();
  const queue = await openBullmqAt(serverAt(redis.server.port), prefix);
  const connection = new Redis(redis.server.port, { maxRetriesPerRequest: null });
  const outside = new Queue(`commands-${shard}`, { connection, prefix: `{${prefix}}` });
  outside.on('error', () => undefined);
  return {
    prefix,
    queue,
    outside,
    async [Symbol.asyncDispose]() {
      await queue.close();
      await outside.close();
      connection.disconnect();
    },
  };
}

function eventsOf(first: number, last: number): readonly JobEvent[] {
  return Array.from({ length: last - first + 1 }, (_, at) => eventOf(encodeBinary(someCommand(ada, first + at))));
}

test('jobs that any BullMQ client adds are delivered, in order with our own, and at the latest when we look', async () => {
  await using seen = await seenFromOutside();
  await seen.outside.add('commands', { events: eventsOf(1, 3) });
  expect(await seen.queue.publish([someCommand(ada, 4)])).toEqual([{ partition: shard, offset: 3 }]);
  await seen.outside.addBulk([
    { name: 'any', data: { events: eventsOf(5, 5) } },
    { name: 'name', data: { events: eventsOf(6, 7) } },
  ]);
  await using consumer = await seen.queue.consume(startingAt());
  const taken = await takeCount(consumer, 7);
  expect(taken.map(({ position }) => position.offset)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  assertDelivered(
    taken,
    [1, 2, 3, 4, 5, 6, 7].map((sequence) => someCommand(ada, sequence)),
  );
  await seen.outside.add('commands', { events: eventsOf(8, 8) });
  assertDelivered(await takeCount(consumer, 1), [someCommand(ada, 8)]);
});

test('jobs go when all of them is acknowledged, and leave nothing behind', async () => {
  await using seen = await seenFromOutside();
  await seen.outside.add('commands', { events: eventsOf(1, 3) });
  await seen.outside.add('commands', { events: eventsOf(4, 4) });
  await using consumer = await seen.queue.consume(startingAt());
  const taken = await takeCount(consumer, 4);
  await consumer.acknowledge(positionsAfter(taken.slice(0, 2)));
  await consumer.acknowledge(positionsAfter(taken.slice(0, 3)));
  await expect.poll(() => seen.outside.getWaitingCount()).toBe(1);
  await consumer.acknowledge(positionsAfter(taken));
  await expect.poll(() => seen.outside.getWaitingCount()).toBe(0);
  const counts = await seen.outside.getJobCounts();
  expect(Object.values(counts).every((count) => count === 0)).toBe(true);
  const position = await redis.client.hgetall(`{${seen.prefix}}:commands-${shard}:position`);
  expect(position).toMatchObject({ start: '4', next: '4', bytes: '0' });
});

test.each<[string, unknown]>([
  ['no object', 'commands'],
  ['no events', {}],
  ['events that are no list', { events: 'x' }],
  ['an empty list', { events: [] }],
  ['an event that is text', { events: ['x'] }],
  ['an attribute that is an object', { events: [{ ...eventsOf(1, 1)[0], type: {} }] }],
  ['data that is an object', { events: [{ ...eventsOf(1, 1)[0], data: {} }] }],
  ['both kinds of data', { events: [{ ...eventsOf(1, 1)[0], data_base64: 'eA==' }] }],
  ['data that is no base64', { events: [{ ...eventsOf(1, 1)[0], data: null, data_base64: '*' }] }],
])('a job with %s is delivered as one that cannot be read, and what comes behind it as well', async (_, data) => {
  await using seen = await seenFromOutside();
  await seen.outside.add('commands', data);
  await seen.queue.publish([someCommand(ada, 2)]);
  const [unreadable, ...rest] = await consumeAll(seen.queue);
  expect(unreadable?.content).toMatchObject({ kind: 'unreadable', refusal: { code: 'UNREADABLE_BATCH' } });
  expect(unreadable?.message().value.length).toBeGreaterThan(0);
  assertDelivered(rest, [someCommand(ada, 2)]);
});

test('an event in another shard than that of its session is refused', async () => {
  await using seen = await seenFromOutside();
  const other = parseSessionId(
    ['a', 'b', 'c', 'd'].find((id) => partitionOf(parseSessionId(id), shards) !== shard) ?? '',
  );
  await seen.outside.add('commands', { events: [eventOf(encodeBinary(someCommand(other, 1)))] });
  await using consumer = await seen.queue.consume(startingAt());
  const [delivery] = await takeCount(consumer, 1);
  expect(delivery?.content).toMatchObject({ kind: 'unreadable', session: other, refusal: { code: 'WRONG_PARTITION' } });
});

describe('a job that is not where it was put is noticed as lost history', () => {
  const three = async (queue: Awaited<ReturnType<typeof seenFromOutside>>['queue']): Promise<void> => {
    for (let sequence = 1; sequence <= 3; sequence += 1) await queue.publish([someCommand(ada, sequence)]);
  };

  test.each<[string, (outside: Queue) => Promise<unknown>]>([
    ['the first was removed', async (outside) => (await outside.getWaiting(0, 0)).at(-1)?.remove()],
    ['one in the midst was removed', async (outside) => (await outside.getWaiting())[1]?.remove()],
    ['all were drained', (outside) => outside.drain()],
    ['one was put before the others', (outside) => outside.add('commands', { events: eventsOf(9, 9) }, { lifo: true })],
  ])('%s', async (_, disturb) => {
    await using seen = await seenFromOutside();
    await three(seen.queue);
    await disturb(seen.outside);
    await using consumer = await seen.queue.consume(startingAt());
    await assertRejects('SOURCE_LOST_HISTORY', takeAll(consumer));
  });

  async function takeAll(consumer: Consumer): Promise<void> {
    while ((await consumer.take(anyLimits)).length > 0);
  }
});
