import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system-clock.ts';
import { asAdmin, kafkaClient, type OwnKafka, startBroker } from '../support/kafka.ts';
import { type ConsumedTopic, consumedTopic, TestMember } from '../support/kafka-member.ts';

/** Sends `count` values to every partition, again and again until the brokers take them. */
async function publish(address: string, { topic }: ConsumedTopic, count: number): Promise<void> {
  const messages = Array.from({ length: topic.partitions * count }, (_, index) => ({
    partition: index % topic.partitions,
    value: `value ${index}`,
  }));
  const producer: Producer = kafkaClient(address).producer({
    idempotent: true,
    retry: { retries: 30, maxRetryTime: 500 },
  });
  await producer.connect();
  await producer.send({ topic: topic.name, messages });
  await producer.disconnect();
}

/** Publishes once more whenever kafkajs gives up, which it does while leaders change: some values may be there twice. */
async function publishAnyhow(address: string, topic: ConsumedTopic): Promise<void> {
  await patiently(() => publish(address, topic, 10));
}

/** Resolves once the member has taken all that the topic holds. */
async function caughtUp(member: TestMember, address: string, { topic }: ConsumedTopic): Promise<void> {
  const ends = await patiently(() => asAdmin(address, (admin) => admin.fetchTopicOffsets(topic.name)));
  const count = ends.reduce((sum, { high }) => sum + Number(high), 0);
  await member.until(() => member.taken.length >= count);
}

async function patiently<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await systemClock.sleep(100);
    }
  }
}

function offsets({ taken }: TestMember, partition: number): number[] {
  return taken.flatMap(({ position }) => (position.partition === partition ? [position.offset] : []));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, offset) => offset);
}

describe('a consumer on a broker that goes away', () => {
  let kafka: OwnKafka;
  beforeAll(async () => {
    kafka = await startBroker();
  });
  afterAll(() => kafka[Symbol.asyncDispose]());

  test('goes on by itself once the broker is back from a kill, and tells of the outage once', async () => {
    const topic = await consumedTopic(kafka.address, 2);
    await using member = new TestMember(topic, { sessionTimeout: 3_000, requestTimeout: 2_000 });
    member.work();
    await publish(kafka.address, topic, 10);
    await member.until(() => member.taken.length === 20);
    await kafka.kill();
    await member.until(() => member.happened.some((what) => what.startsWith('unavailable')));
    await kafka.restart();
    await publish(kafka.address, topic, 10);
    await member.until(() => member.taken.length >= 40 && member.happened.includes('available'));
    for (const partition of [0, 1]) expect(offsets(member, partition)).toEqual(upTo(20));
    const outages = member.happened.filter((what) => what.includes('available'));
    expect(outages).toEqual(['unavailable QUEUE_UNAVAILABLE', 'available']);
  });

  test('does not wait for a broker that hangs: it asks again over new connections', async () => {
    const topic = await consumedTopic(kafka.address, 2);
    await using member = new TestMember(topic, { sessionTimeout: 3_000, requestTimeout: 500, maxWait: 100 });
    member.work();
    await publish(kafka.address, topic, 10);
    await member.until(() => member.taken.length === 20);
    kafka.pause();
    await member.until(() => member.happened.some((what) => what.startsWith('unavailable')));
    kafka.resume();
    await publish(kafka.address, topic, 10);
    await member.until(() => member.taken.length >= 40 && member.happened.includes('available'));
    for (const partition of [0, 1]) expect(offsets(member, partition)).toEqual(upTo(20));
  });

  test('is not opened without it, and closed without it', async () => {
    const topic = await consumedTopic(kafka.address, 1);
    const member = new TestMember(topic, { requestTimeout: 1_000 });
    await member.consumer;
    await kafka.kill();
    await expect(new TestMember(topic, { requestTimeout: 1_000 }).consumer).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
    });
    await member.close();
    await kafka.restart();
  });
});

describe('a consumer on several brokers', () => {
  test('follows the leaders when one is killed, without waiting for it to come back', async () => {
    await using kafka = await startBroker({ nodes: 3 });
    const topic = await consumedTopic(kafka.address, 6, {}, 3);
    const [first, second, third] = kafka.brokers;
    const addressOf = (...brokers: readonly (typeof first)[]): string =>
      brokers.map((broker) => broker?.address()).join(',');
    await using member = new TestMember(topic, { sessionTimeout: 3_000 });
    member.work();
    await publishAnyhow(kafka.address, topic);
    await caughtUp(member, kafka.address, topic);
    await first?.kill();
    await publishAnyhow(addressOf(second, third), topic);
    await caughtUp(member, addressOf(second, third), topic);
    await first?.start();
    await second?.stop();
    await publishAnyhow(addressOf(first, third), topic);
    await caughtUp(member, addressOf(first, third), topic);
    for (let partition = 0; partition < 6; partition += 1) {
      const taken = offsets(member, partition);
      expect(taken.length).toBeGreaterThanOrEqual(30);
      expect(taken).toEqual(upTo(taken.length));
    }
  });
});
