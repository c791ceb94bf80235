import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesDigest } from '../../src/domain/digest.ts';
import { asAdmin, deleteTopics, kafkaClient, type OwnKafka, startBroker } from '../support/kafka.ts';
import { type ConsumedTopic, consumedTopic, type SharedPositions, TestMember } from '../support/kafka-member.ts';

let kafka: OwnKafka;
let producer: Producer;

beforeAll(async () => {
  kafka = await startBroker();
  producer = kafkaClient(kafka.address).producer();
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await kafka[Symbol.asyncDispose]();
});

async function publish({ topic }: ConsumedTopic, count: number, to = producer): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({ value: `value ${index}`, partition: 0 }));
  await to.send({ topic: topic.name, messages });
}

async function deleteRecords({ topic }: ConsumedTopic, before: number): Promise<void> {
  const partitions = [{ partition: 0, offset: String(before) }];
  await asAdmin(kafka.address, async (admin) => {
    // kafkajs deletes nothing of a topic that it has not looked up.
    await admin.fetchTopicMetadata({ topics: [topic.name] });
    await admin.deleteTopicRecords({ topic: topic.name, partitions });
  });
}

/** Deletes the topic and creates one of the same name. */
async function makeAnew({ topic }: ConsumedTopic): Promise<void> {
  await deleteTopics(kafka.address, [topic.name]);
  await asAdmin(kafka.address, (admin) =>
    admin.createTopics({ topics: [{ topic: topic.name, numPartitions: topic.partitions }], waitForLeaders: false }),
  );
}

/** What a member stores that has consumed the first `count` records. */
async function positionsAfter(topic: ConsumedTopic, count: number): Promise<SharedPositions> {
  const positions: SharedPositions = new Map();
  await using member = new TestMember(topic, { positions });
  const consumer = await member.consumer;
  const taken = await consumer.take({ deliveries: count, bytes: 1 << 20 });
  const last = taken[count - 1] ?? expect.fail(`${count} records at once`);
  return positions.set(0, { next: last.position.offset + 1, digest: last.recordDigest() });
}

describe('a position that the topic does not hold is SOURCE_LOST_HISTORY, at the start', () => {
  const lost = { code: 'SOURCE_LOST_HISTORY' };
  const start = (topic: ConsumedTopic, positions: SharedPositions) => new TestMember(topic, { positions }).consumer;

  test('another record stands before it', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    const digest = bytesDigest(Buffer.from('other'));
    for (const next of [1, 5, 10])
      await expect(start(topic, new Map([[0, { next, digest }]]))).rejects.toMatchObject(lost);
  });

  test('it is behind the end, by one and by many', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    const positions = await positionsAfter(topic, 10);
    const { digest } = positions.get(0) ?? expect.fail('no position');
    for (const next of [11, 12, 5_000]) {
      await expect(start(topic, new Map([[0, { next, digest }]]))).rejects.toMatchObject(lost);
    }
  });

  test('retention has removed what comes next; but not when only the record before it is gone', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    const third = await positionsAfter(topic, 3);
    const fifth = await positionsAfter(topic, 5);
    const last = await positionsAfter(topic, 10);
    await deleteRecords(topic, 5);
    await expect(start(topic, third)).rejects.toMatchObject({ ...lost, message: expect.stringContaining('5 to 10') });
    await using member = new TestMember(topic, { positions: fifth });
    member.work();
    await member.until(() => member.taken.length === 5);
    await deleteRecords(topic, 10);
    await using atTheEnd = new TestMember(topic, { positions: last });
    atTheEnd.work();
    await publish(topic, 1);
    await atTheEnd.until(() => atTheEnd.taken.length === 1);
    expect(atTheEnd.taken[0]?.position.offset).toBe(10);
  });

  test('the topic was made anew', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    const positions = await positionsAfter(topic, 5);
    await makeAnew(topic);
    await expect(start(topic, positions)).rejects.toMatchObject({ ...lost, message: expect.stringContaining('anew') });
  });
});

describe('history that is lost while it is consumed is noticed', () => {
  test('records that were not consumed yet are removed', async () => {
    const topic = await consumedTopic(kafka.address, 1, { 'max.message.bytes': '3000000' });
    for (let round = 0; round < 6; round += 1) {
      await producer.send({ topic: topic.topic.name, messages: [{ value: 'x'.repeat(1_500_000) }] });
    }
    await using member = new TestMember(topic);
    const consumer = await member.consumer;
    await consumer.take({ deliveries: 1, bytes: 1 });
    await deleteRecords(topic, 6);
    const takeOn = async (): Promise<void> => {
      for (;;) await consumer.take({ deliveries: 1, bytes: 1 });
    };
    await expect(takeOn()).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  });

  test('the topic is made anew', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    await using member = new TestMember(topic, { lookInterval: 200 });
    member.work();
    await member.until(() => member.taken.length === 10);
    await makeAnew(topic);
    expect(await member.failure()).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    expect(member.taken).toHaveLength(10);
  });

  test('the topic gets more partitions', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await using member = new TestMember(topic, { lookInterval: 200 });
    await member.consumer;
    member.work();
    const topicPartitions = [{ topic: topic.topic.name, count: 2 }];
    await asAdmin(kafka.address, (admin) => admin.createPartitions({ topicPartitions }));
    expect(await member.failure()).toMatchObject({ code: 'QUEUE_UNSAFE', message: expect.stringContaining('has 2') });
  });

  test('the topic is deleted for good', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await using member = new TestMember(topic, { lookInterval: 200, requestTimeout: 1_000 });
    await member.consumer;
    member.work();
    await deleteTopics(kafka.address, [topic.topic.name]);
    expect(await member.failure()).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  });
});

describe('a broker that comes back with less than it had', () => {
  test('has lost history: what it holds in that place is not gone on with', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    await publish(topic, 10);
    await using member = new TestMember(topic);
    member.work();
    await member.until(() => member.taken.length === 10);
    await kafka.kill();
    for (const { log } of kafka.brokers) {
      await rm(join(dirname(log), 'data', `${topic.topic.name}-0`), { recursive: true });
    }
    await kafka.restart();
    const again = kafkaClient(kafka.address).producer();
    await again.connect();
    await publish(topic, 20, again);
    await again.disconnect();
    expect(await member.failure()).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    expect(member.taken).toHaveLength(10);
  });
});
