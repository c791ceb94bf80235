import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { KafkaCluster } from '../../../src/queues/kafka/connection/cluster.ts';
import { TopicBrokers } from '../../../src/queues/kafka/consumer/topic-brokers.ts';
import type { TopicMetadata } from '../../../src/queues/kafka/protocol/metadata.ts';

const topic = { name: 'commands', id: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: 1 };
const unknown = { errorCode: 3, name: 'commands', topicId: topic.id, partitions: [] };

/** Brokers that are asked at times of the test's choosing, in ms, and either answer that or cannot be reached. */
function topicBrokers() {
  let now = 0;
  let answer: TopicMetadata | undefined;
  const cluster = {
    connect: async () => undefined,
    addTargetTopic: async () => undefined,
    anyBroker: async () => undefined,
    close: async () => undefined,
    send: async () =>
      answer === undefined ? Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' })) : [answer],
  };
  const brokers = new TopicBrokers(topic, {
    openCluster: () => cluster as unknown as KafkaCluster,
    clock: { ...systemClock, elapsed: () => now },
    requestTimeout: 10_000,
  });
  return (at: number, given: TopicMetadata | undefined) => {
    now = at;
    answer = given;
    return brokers.leaders();
  };
}

test('a topic that stays unknown for longer than a request may take was deleted', async () => {
  const ask = topicBrokers();
  for (const at of [0, 5_000, 9_999]) {
    await expect(ask(at, unknown)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  }
  await expect(ask(10_000, unknown)).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
});

test('two brokers that have just started, and an outage between them, delete none', async () => {
  const ask = topicBrokers();
  await expect(ask(0, unknown)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await expect(ask(5_000, undefined)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await expect(ask(60_000, unknown)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await expect(ask(70_000, unknown)).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
});
