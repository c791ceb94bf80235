import type { QueueHarness } from '../../src/conformance/queue-suite.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
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
function harness(isTransactional: boolean): QueueHarness {
  return {
    capabilities: {
      durable: true,
      replayable: true,
      positions: true,
      fencesWriters: isTransactional,
      knowsConsumed: false,
    },
    async create() {
      const address = kafkaAddress();
      const topic = await initialisedTopic(address);
      const transactionalId = isTransactional ? topic : undefined;
      const open = () => openKafkaQueue({ ...queueOptions(address, topic), transactionalId });
      let queue = await open();
      return {
        get queue() {
          return queue;
        },
        async reopen() {
          await queue.close();
          queue = await open();
        },
        successor: open,
        async dispose() {
          await queue.close();
          await deleteTopics(address, [topic, guardTopicOf(topic)]);
        },
      };
    },
  };
}

export const kafkaQueueHarness = harness(false);
export const transactionalQueueHarness = harness(true);
