import type { QueueHarness } from '../../src/conformance/queue-suite.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { KafkaQueueOptions } from '../../src/queues/kafka/open-kafka-queue.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { guardTopicOf } from '../../src/queues/kafka/topics/guard.ts';
import { initTopic } from '../../src/queues/kafka/topics/init-topic.ts';
import { deleteTopics, kafkaAddress, uniqueName } from '../support/kafka.ts';

/** How to reach the Kafka at `address`, for tests. */
export function connectionTo(address: string): KafkaQueueOptions['connection'] {
  return { brokers: address.split(','), clientId: 'test', connectionTimeout: 5_000, requestTimeout: 10_000 };
}

/** Options for a topic at `address` that keeps what is published for a day; nobody listens to the connections. */
export function queueOptions(address: string, topic: string): KafkaQueueOptions {
  return {
    connection: connectionTo(address),
    topic,
    group: uniqueName('group'),
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 6_000,
    minimumRetentionMs: 24 * 60 * 60 * 1_000,
    clock: systemClock,
    onLog: () => undefined,
  };
}

/** Makes a topic for commands at `address`; resolves with its name. */
export async function initialisedTopic(address: string, partitions = 3, topic = uniqueName()): Promise<string> {
  const retentionMs = 24 * 60 * 60 * 1_000;
  const { connection, clock, onLog } = queueOptions(address, topic);
  await initTopic({ connection, clock, onLog, topic, partitions, retentionMs, batchBytes: 1024 * 1024 });
  return topic;
}

/** A topic of its own for each law, on the Kafka that the suite shares. */
export const kafkaQueueHarness: QueueHarness = {
  capabilities: { durable: true, replayable: true, positions: true, fencesWriters: true, knowsConsumed: false },
  async create() {
    const address = kafkaAddress();
    const topic = await initialisedTopic(address);
    const open = () => openKafkaQueue(queueOptions(address, topic));
    const others: Queue[] = [];
    let queue = await open();
    return {
      get queue() {
        return queue;
      },
      async reopen() {
        await queue.close();
        queue = await open();
      },
      async another() {
        const other = await open();
        others.push(other);
        return other;
      },
      async dispose() {
        for (const each of [queue, ...others]) await each.close();
        await deleteTopics(address, [topic, guardTopicOf(topic)]);
      },
    };
  },
};
