import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery, ReplayOptions } from '../../src/ports/queue.ts';
import { readBounds } from '../../src/queues/kafka/consumer/read-bounds.ts';
import { replayKafka } from '../../src/queues/kafka/consumer/replay-kafka.ts';
import type { ReplayParts } from '../../src/queues/kafka/consumer/replay-reading.ts';
import { TopicBrokers } from '../../src/queues/kafka/consumer/topic-brokers.ts';
import { tryWithin } from '../../src/queues/patience.ts';
import { asAdmin, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { type ConsumedTopic, consumedTopic, valuesByPartition } from '../support/kafka-member.ts';

const limits = { deliveries: 7, bytes: 1 << 20 };
const never = new AbortController().signal;
let producer: Producer;

beforeAll(async () => {
  producer = kafkaClient().producer({ idempotent: true });
  await producer.connect();
});
afterAll(() => producer.disconnect());

function partsOf({ topic, openCluster }: ConsumedTopic): ReplayParts {
  return { topic, openCluster, clock: systemClock, requestTimeout: 5_000 };
}

/** Sends the numbers from `from` on to every partition. */
async function publish({ topic }: ConsumedTopic, from: number, count: number): Promise<void> {
  const messages = Array.from({ length: topic.partitions * count }, (_, index) => ({
    partition: index % topic.partitions,
    value: String(from + Math.floor(index / topic.partitions)),
  }));
  await producer.send({ topic: topic.name, messages });
}

async function replayed(topic: ConsumedTopic, options: Partial<ReplayOptions> = {}): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of replayKafka(partsOf(topic), { limits, ...options }, never)) {
    expect(batch.length).toBeGreaterThan(0);
    expect(batch.length).toBeLessThanOrEqual(limits.deliveries);
    deliveries.push(...batch);
  }
  return deliveries;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

test('a replay delivers everything from the given offsets to the end, in bounded batches, and needs no group', async () => {
  const topic = await consumedTopic(kafkaAddress(), 3);
  expect(await replayed(topic)).toEqual([]);
  await publish(topic, 0, 50);
  expect(valuesByPartition(await replayed(topic))).toEqual(new Map([0, 1, 2].map((each) => [each, numbers(0, 50)])));
  const from = new Map([
    [0, { next: 50 }],
    [2, { next: 13 }],
  ]);
  expect(valuesByPartition(await replayed(topic, { from }))).toEqual(
    new Map([
      [1, numbers(0, 50)],
      [2, numbers(13, 50)],
    ]),
  );
});

test('it ends where the topic ended when it had begun, while publishing goes on', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2);
  await publish(topic, 0, 20);
  const replay = replayKafka(partsOf(topic), { limits }, never);
  await replay.begun;
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of replay) {
    deliveries.push(...batch);
    await publish(topic, 20, 1);
  }
  expect(valuesByPartition(deliveries)).toEqual(new Map([0, 1].map((each) => [each, numbers(0, 20)])));
});

test('it ends before the first record at or after a time, in each partition', async () => {
  const topic = await consumedTopic(kafkaAddress(), 3);
  // Much older ones would be gone as soon as the broker looks at what it has kept for long enough.
  const base = Date.now();
  const at = (partition: number, ...times: number[]) =>
    times.map((time) => ({ partition, value: `${time}`, timestamp: `${base + time}` }));
  const messages = [...at(0, 10, 20, 30, 25), ...at(1, 5, 6), ...at(2, 40, 10)];
  await producer.send({ topic: topic.topic.name, messages });
  const before = async (time: number) => valuesByPartition(await replayed(topic, { before: base + time }));
  expect(await before(25)).toEqual(
    new Map([
      [0, ['10', '20']],
      [1, ['5', '6']],
    ]),
  );
  expect(await before(20)).toEqual(
    new Map([
      [0, ['10']],
      [1, ['5', '6']],
    ]),
  );
  expect(await before(41)).toEqual(
    new Map([
      [0, ['10', '20', '30', '25']],
      [1, ['5', '6']],
      [2, ['40', '10']],
    ]),
  );
});

test('it reads committed, and ends before a transaction that is not decided', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  const transactional = kafkaClient().producer({
    transactionalId: uniqueName('writer'),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await transactional.connect();
  for (const ending of ['abort', 'commit'] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({ topic: topic.topic.name, messages: [{ value: ending }] });
    await transaction[ending]();
  }
  const open = await transactional.transaction();
  await open.send({ topic: topic.topic.name, messages: [{ value: 'undecided' }] });
  const deliveries = await replayed(topic);
  expect(valuesByPartition(deliveries)).toEqual(new Map([[0, ['commit']]]));
  expect(deliveries.at(-1)?.position.offset).toBe(3);
  await open.abort();
  await transactional.disconnect();
});

test('offsets that are not held are SOURCE_LOST_HISTORY', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  await publish(topic, 0, 10);
  await asAdmin(topic.address, async (admin) => {
    await admin.fetchTopicMetadata({ topics: [topic.topic.name] });
    await admin.deleteTopicRecords({ topic: topic.topic.name, partitions: [{ partition: 0, offset: '4' }] });
  });
  for (const offset of [0, 3, 11]) {
    const from = new Map([[0, { next: offset }]]);
    await expect(replayed(topic, { from })).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  }
  expect(await replayed(topic)).toHaveLength(6);
  expect(await replayed(topic, { from: new Map([[0, { next: 10 }]]) })).toEqual([]);
});

test('it can be given up, before and meanwhile, and ends with its queue', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  await publish(topic, 0, 20);
  await expect(replayed(topic, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  const giveUp = new AbortController();
  const half = async (options: Partial<ReplayOptions>, closing: AbortSignal): Promise<void> => {
    for await (const batch of replayKafka(partsOf(topic), { limits, ...options }, closing)) {
      expect(batch).toHaveLength(7);
      giveUp.abort();
    }
  };
  await expect(half({ signal: giveUp.signal }, never)).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(half({}, giveUp.signal)).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
});

test('the bounds are the first offset held and the end of what is decided', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2);
  const brokers = new TopicBrokers(topic.topic, partsOf(topic));
  // As everybody who asks does: the leaders of a topic that was made just now may not know yet that they lead it.
  const bounds = (partitions: readonly number[]) =>
    tryWithin(systemClock, 10_000, () => readBounds(brokers, partitions));
  expect(await bounds([0, 1])).toEqual(
    new Map([
      [0, { start: 0, end: 0 }],
      [1, { start: 0, end: 0 }],
    ]),
  );
  await publish(topic, 0, 5);
  await asAdmin(topic.address, async (admin) => {
    await admin.fetchTopicMetadata({ topics: [topic.topic.name] });
    await admin.deleteTopicRecords({ topic: topic.topic.name, partitions: [{ partition: 1, offset: '2' }] });
  });
  expect(await bounds([1])).toEqual(new Map([[1, { start: 2, end: 5 }]]));
  await brokers.close();
  await expect(readBounds(brokers, [1])).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
});
