import { EventEmitter } from 'node:events';
import type { Clock } from '../../ports/clock.ts';
import type { QueueEvents } from '../../ports/queue.ts';
import { openCluster } from './connection/cluster.ts';
import type { KafkaConnectionOptions, KafkaLog } from './connection/kafka-options.ts';
import type { ConnectionParts } from './consumer/broker-connections.ts';
import { openKafkaConsumer } from './consumer/open-kafka-consumer.ts';
import { replayKafka } from './consumer/replay-kafka.ts';
import { TopicBrokers } from './consumer/topic-brokers.ts';
import { DeadLetterTopic } from './dead-letter-topic.ts';
import { KafkaQueue, type KafkaQueueParts } from './kafka-queue.ts';
import { prepareCodecs } from './protocol/compression/expand.ts';
import { type Compression, codecOf } from './publishing/compression.ts';
import { KafkaPublisher } from './publishing/publisher.ts';
import { inspect, type UsableTopic, usable } from './topics/check-topic.ts';
import { sourceOf } from './topics/guard.ts';
import { TopicAdministration, type TopicFacts } from './topics/topic-administration.ts';
import { TopicInquiry } from './topics/topic-inquiry.ts';

/** Sizes in bytes, times in milliseconds. */
export interface KafkaQueueOptions {
  readonly connection: KafkaConnectionOptions;
  readonly topic: string;
  /** Workers of one group share the partitions out. */
  readonly group: string;
  /** How long a worker may be silent until others take over. */
  readonly sessionTimeoutMs: number;
  /** How long workers may take to finish what they hold when partitions change hands. */
  readonly rebalanceTimeoutMs: number;
  /** How long commands wait for others to be sent together with. Default 0: only for what is published in the same turn. */
  readonly lingerMs?: number | undefined;
  /** Most bytes of a record batch; a larger command goes alone. Default 1 MiB. */
  readonly batchBytes?: number | undefined;
  /** Default: none. */
  readonly compression?: Compression | undefined;
  /** Most bytes of commands that wait in memory; a larger publish is accepted when nothing else waits. Default 64 MiB. */
  readonly maximumWaitingBytes?: number | undefined;
  /** How long the topic has to keep commands. */
  readonly minimumRetentionMs: number;
  /** Where dead letters are copied to. Default: nowhere. */
  readonly deadLetterTopic?: string | undefined;
  /** How often whoever consumes looks whether the topic was repartitioned. Default: every minute. */
  readonly inquiryIntervalMs?: number | undefined;
  readonly clock: Clock;
  /** Told what the connections go through, and what is weak about the topics. */
  readonly onLog: KafkaLog;
}

const mebibyte = 1024 * 1024;

/**
 * Opens a topic that `initTopic` has set up. Nothing is published or consumed by that alone: it connects for publishing
 * with the first command. Throws `QUEUE_UNSAFE` for topics that are missing or would lose commands, `QUEUE_MOVED` for one whose commands went to another, `QUEUE_TOO_NEW` for one of a newer release,
 * `QUEUE_UNAVAILABLE` when no broker answers, `INVALID_CONFIGURATION` for what the brokers refuse.
 */
export async function openKafkaQueue(options: KafkaQueueOptions): Promise<KafkaQueue> {
  const { connection, clock, onLog } = options;
  const batchBytes = options.batchBytes ?? mebibyte;
  const codec = codecOf(options.compression ?? 'none');
  await prepareCodecs();
  await using administration = await TopicAdministration.open({ connection, clock, onLog });
  const report = await inspect(administration, { ...options, batchBytes });
  const found = usable(report, connection.brokers.join(','));
  for (const { severity, what, remedy } of report.findings) {
    if (severity === 'warning') onLog('warn', `${what}; ${remedy}`);
  }
  const { kafka } = administration;
  const connecting = { openCluster: () => openCluster(kafka), clock, requestTimeout: connection.requestTimeout };
  const createPublisher = (transactionalId?: string): KafkaPublisher =>
    new KafkaPublisher({
      brokers: new TopicBrokers(found.topic, connecting),
      clock,
      transactionalId,
      lingerMs: options.lingerMs ?? 0,
      batchBytes,
      codec,
      maximumWaitingBytes: options.maximumWaitingBytes ?? 64 * mebibyte,
      largestBatch: Number(found.topic.settings.get('max.message.bytes')),
    });
  return new KafkaQueue(partsOf(options, { connecting, found, copies: report.deadLetterTopic, createPublisher }));
}

interface Opened {
  readonly connecting: Omit<ConnectionParts, 'topicName'>;
  readonly found: UsableTopic;
  /** The topic for copies of dead letters. */
  readonly copies: TopicFacts | undefined;
  readonly createPublisher: (transactionalId?: string) => KafkaPublisher;
}

function partsOf(options: KafkaQueueOptions, { connecting, found, copies, createPublisher }: Opened): KafkaQueueParts {
  const { clock, group, sessionTimeoutMs, rebalanceTimeoutMs } = options;
  const { topic, guard, guardFacts } = found;
  const events = new EventEmitter<QueueEvents>();
  const timeouts = { sessionTimeout: sessionTimeoutMs, rebalanceTimeout: rebalanceTimeoutMs };
  const consuming = { ...connecting, ...timeouts, groupId: group, topic, events };
  const copying = copies === undefined ? undefined : { brokers: new TopicBrokers(copies, connecting), clock };
  return {
    source: sourceOf(topic.id),
    continues: guard.continues,
    clock,
    events,
    brokers: new TopicBrokers(topic, connecting),
    publisher: createPublisher(),
    createFencedPublisher: (name) => createPublisher(transactionalIdOf(topic.name, name)),
    deadLetters: copying === undefined ? undefined : new DeadLetterTopic({ ...copying, commandTopic: topic.name }),
    openConsumer: (handler, signal) => openKafkaConsumer(consuming, handler, signal),
    inquiry: new TopicInquiry({ topic: topic.name, brokers: new TopicBrokers(guardFacts, connecting), clock }),
    inquiryInterval: options.inquiryIntervalMs ?? 60_000,
    replay: (replay, closing) => replayKafka({ ...connecting, topic }, replay, closing),
  };
}

/** No topic's name has a slash in it: publishers of two topics never shut one another out. */
function transactionalIdOf(topic: string, publisher: string): string {
  return `${topic}/${publisher}`;
}
