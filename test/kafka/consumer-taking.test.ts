import { EventEmitter } from 'node:events';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import { fetchSizes } from '../../src/queues/kafka/consumer/fetch-sizes.ts';
import { openKafkaConsumer } from '../../src/queues/kafka/consumer/open-kafka-consumer.ts';
import { PartitionFetcher } from '../../src/queues/kafka/consumer/partition-fetcher.ts';
import { TopicBrokers } from '../../src/queues/kafka/consumer/topic-brokers.ts';
import { Outage } from '../../src/queues/outage.ts';
import { asAdmin, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import {
  type ConsumedTopic,
  consumedTopic,
  type SharedPositions,
  TestMember,
  valuesByPartition,
} from '../support/kafka-member.ts';

const limits = { deliveries: 1_000, bytes: 1 << 24 };
let producer: Producer;

beforeAll(async () => {
  producer = kafkaClient().producer({ idempotent: true });
  await producer.connect();
});
afterAll(() => producer.disconnect());

/** Sends `count` numbered values to every partition. */
async function publish({ topic }: ConsumedTopic, from: number, count: number): Promise<void> {
  const messages = Array.from({ length: topic.partitions * count }, (_, index) => ({
    partition: index % topic.partitions,
    value: String(from + Math.floor(index / topic.partitions)),
  }));
  await producer.send({ topic: topic.name, messages });
}

function numbers(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}

/** Sends values of 50,000 bytes to all partitions in turn. */
async function publishLarge({ topic }: ConsumedTopic, count: number): Promise<void> {
  const value = 'x'.repeat(50_000);
  for (let sent = 0; sent < count; sent += 20) {
    const messages = Array.from({ length: 20 }, (_, index) => ({ value, partition: index % topic.partitions }));
    await producer.send({ topic: topic.name, messages });
  }
}

/** Fetches a topic, and counts the answers. Fails the test with what it fails with. */
function fetch(topic: ConsumedTopic) {
  const parts = { openCluster: topic.openCluster, clock: systemClock, requestTimeout: 5_000 };
  const fetching = {
    answers: 0,
    fetcher: new PartitionFetcher({
      openBrokers: () => new TopicBrokers(topic.topic, parts),
      clock: systemClock,
      outage: new Outage(systemClock, { unavailable: () => undefined, available: () => undefined }),
      maxWait: 100,
      requestTimeout: 5_000,
      lookInterval: 5_000,
      onArrived: () => {
        fetching.answers += 1;
      },
      onFailed: (error) => expect.fail(error.message),
    }),
    [Symbol.asyncDispose]: () => fetching.fetcher.close(),
  };
  return fetching;
}

function held({ feeds }: PartitionFetcher): number {
  return [...feeds.values()].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
}

test('every partition is delivered in order and whole, several of them together', async () => {
  const topic = await consumedTopic(kafkaAddress(), 4);
  await publish(topic, 0, 300);
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  const first = await consumer.take(limits);
  expect(new Set(first.map(({ position }) => position.partition)).size).toBeGreaterThan(1);
  const taken = [...first];
  while (taken.length < 1_200) taken.push(...(await consumer.take({ deliveries: 70, bytes: 1 << 24 })));
  expect([...valuesByPartition(taken)].sort()).toEqual([0, 1, 2, 3].map((partition) => [partition, numbers(0, 300)]));
  await publish(topic, 300, 2);
  const more: QueuedDelivery[] = [];
  while (more.length < 8) more.push(...(await consumer.take(limits)));
  expect([...valuesByPartition(more)].sort()).toEqual([0, 1, 2, 3].map((partition) => [partition, numbers(300, 2)]));
  expect(await consumer.takeNow(limits)).toEqual([]);
});

test('no partition waits for long behind others that always have more', async () => {
  const topic = await consumedTopic(kafkaAddress(), 4);
  await publish(topic, 0, 100);
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  const partitions: number[] = [];
  for (let take = 0; take < 8; take += 1) {
    const batch = await consumer.take({ deliveries: 10, bytes: 1 << 24 });
    partitions.push(...new Set(batch.map(({ position }) => position.partition)));
  }
  expect(partitions).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test('offsets stay dense over transactions, given up or not, and over their markers, which are passed', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  const transactional = kafkaClient().producer({
    transactionalId: uniqueName('writer'),
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await transactional.connect();
  for (const [round, ending] of (['commit', 'abort', 'commit'] as const).entries()) {
    const transaction = await transactional.transaction();
    const messages = numbers(round * 3, 3).map((value) => ({ value, partition: 0 }));
    await transaction.send({ topic: topic.topic.name, messages });
    await transaction[ending]();
  }
  const open = await transactional.transaction();
  await open.send({ topic: topic.topic.name, messages: [{ value: 'undecided', partition: 0 }] });
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  const taken: QueuedDelivery[] = [];
  while ((taken.at(-1)?.position.offset ?? 0) < 11) taken.push(...(await consumer.take(limits)));
  expect(valuesByPartition(taken)).toEqual(new Map([[0, ['0', '1', '2', '6', '7', '8']]]));
  expect(
    taken.map(({ position, isPassed }) => (isPassed === true ? `to ${position.offset}` : position.offset)),
  ).toEqual([0, 1, 2, 'to 3', 'to 6', 'to 7', 8, 9, 10, 'to 11']);
  expect(await consumer.takeNow(limits)).toEqual([]);
  await open.commit();
  expect(valuesByPartition(await consumer.take(limits))).toEqual(new Map([[0, ['undecided']]]));
  await transactional.disconnect();
});

test('a batch far larger than what is fetched at a time is delivered, and what stands behind it', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2, { 'max.message.bytes': '6000000' });
  const large = 'x'.repeat(5_000_000);
  const messages = [{ value: 'before' }, { value: large }, { value: 'behind' }].map((one) => ({
    ...one,
    partition: 1,
  }));
  for (const message of messages) await producer.send({ topic: topic.topic.name, messages: [message] });
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  const taken: QueuedDelivery[] = [];
  while (taken.length < 3) taken.push(...(await consumer.take({ deliveries: 10, bytes: 100 })));
  expect(valuesByPartition(taken)).toEqual(new Map([[1, ['before', large, 'behind']]]));
});

test('a consumer goes on behind the stored positions, whatever the group has committed', async () => {
  const topic = await consumedTopic(kafkaAddress(), 3);
  const groupId = uniqueName('group');
  await publish(topic, 0, 10);
  const positions: SharedPositions = new Map();
  const first = new TestMember(topic, { groupId, positions });
  first.work();
  await first.until(() => first.taken.length === 30);
  await first.close();
  const [committed] = await asAdmin(topic.address, (admin) =>
    admin.fetchOffsets({ groupId, topics: [topic.topic.name] }),
  );
  expect(committed?.partitions.map(({ offset }) => offset)).toEqual(['10', '10', '10']);
  await publish(topic, 10, 5);
  const fourth = first.taken.find(({ position }) => position.partition === 1 && position.offset === 3);
  const digest = fourth?.recordDigest() ?? expect.fail('offset 3 was taken');
  positions.set(1, { next: 4, digest });
  positions.delete(2);
  await using second = new TestMember(topic, { groupId, positions });
  second.work();
  await second.until(() => second.taken.length === 5 + 11 + 15);
  expect([...valuesByPartition(second.taken)].sort()).toEqual([
    [0, numbers(10, 5)],
    [1, numbers(4, 11)],
    [2, numbers(0, 15)],
  ]);
});

test('a slow taker stops the fetching: what is held stays bounded', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2);
  await publishLarge(topic, 400);
  await using fetching = fetch(topic);
  const { fetcher } = fetching;
  await fetcher.add(
    new Map([
      [0, undefined],
      [1, undefined],
    ]),
  );
  while (held(fetcher) < fetchSizes.held) await systemClock.sleep(10);
  const before = { held: held(fetcher), answers: fetching.answers };
  await systemClock.sleep(300);
  expect({ held: held(fetcher), answers: fetching.answers }).toEqual(before);
  expect(held(fetcher)).toBeLessThanOrEqual(fetchSizes.held + fetchSizes.answer);
  // Some of the topic waits at the broker, and comes as the first is taken.
  let taken = 0;
  while (taken < 400) {
    for (const feed of fetcher.feeds.values()) {
      for (; feed.peek() !== undefined; taken += 1) feed.advance();
    }
    fetcher.taken();
    await systemClock.sleep(5);
  }
});

test('whoever takes one delivery at a time gets all, however much is held of a partition', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  await publishLarge(topic, 300);
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  for (let offset = 0; offset < 300; offset += 1) {
    const [delivery] = await consumer.take({ deliveries: 1, bytes: 1 << 24 });
    expect(delivery?.position.offset).toBe(offset);
  }
});

test('what is held of a partition that goes makes room for the others', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2);
  await publishLarge(topic, 400);
  await using fetching = fetch(topic);
  const { fetcher } = fetching;
  await fetcher.add(new Map([[0, undefined]]));
  while (held(fetcher) < fetchSizes.held) await systemClock.sleep(10);
  await fetcher.add(new Map([[1, undefined]]));
  const other = fetcher.feeds.get(1) ?? expect.fail('partition 1 has no feed');
  // What was fetched of it when it came, so that nothing but the first one's bytes is in its way.
  while (other.peek() !== undefined) other.advance();
  expect(other.bufferedBytes).toBe(0);
  fetcher.remove([0]);
  while (other.bufferedBytes === 0) await systemClock.sleep(10);
});

test('misuse is refused at once', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  await publish(topic, 0, 2);
  await using member = new TestMember(topic);
  const consumer = await member.consumer;
  await expect(consumer.take({ deliveries: 0, bytes: 1 })).rejects.toThrow(TypeError);
  const [delivery] = await consumer.take({ deliveries: 1, bytes: 1 });
  const digest = delivery?.recordDigest() ?? expect.fail('nothing was delivered');
  await consumer.acknowledge(new Map([[0, { next: 1, digest }]]));
  await expect(consumer.acknowledge(new Map([[0, { next: 2, digest }]]))).rejects.toThrow(TypeError);
  await expect(consumer.acknowledge(new Map([[7, { next: 1, digest }]]))).rejects.toThrow(TypeError);
  await consumer.take({ deliveries: 1, bytes: 1 });
  const waiting = consumer.take(limits);
  await expect(consumer.take(limits)).rejects.toThrow(TypeError);
  await consumer.close();
  expect(await waiting).toEqual([]);
  expect(await consumer.take(limits)).toEqual([]);
  await expect(consumer.acknowledge(new Map())).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
});

test('a consumer that is not open yet can be given up', async () => {
  const topic = await consumedTopic(kafkaAddress(), 1);
  const handler = { assigned: () => new Promise<never>(() => undefined), revoked: async () => undefined };
  const giveUp = new AbortController();
  const options = { ...topic, groupId: uniqueName('group'), clock: systemClock, events: new EventEmitter<never>() };
  const opening = openKafkaConsumer(options, handler, giveUp.signal);
  giveUp.abort();
  await expect(opening).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
  await expect(openKafkaConsumer(options, handler, AbortSignal.abort())).rejects.toMatchObject({
    code: 'QUEUE_CLOSED',
  });
});
