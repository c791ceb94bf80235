import type { Values } from '../configuration/settings.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { InitReport } from '../queues/kafka/topics/init-topic.ts';
import type { QueueAdapter } from './adapter.ts';
import { type Finding, ok, problem, warning } from './doctor/finding.ts';
import { type KafkaAddress, kafkaConnection } from './kafka-connection.ts';

export type { InitReport };

/** The queue on Kafka. Its client is loaded only where it is used. */
export const kafkaAdapter: QueueAdapter<KafkaAddress> = {
  exclusive: false,
  // A topic that is missing is not made by the way: opening it says what makes it.
  exists: async () => true,
  async open(address, values, log) {
    const { openKafkaQueue } = await import('../queues/kafka/open-kafka-queue.ts');
    const { topic } = address;
    return openKafkaQueue({
      connection: await kafkaConnection(address, values),
      topic,
      group: values['kafka.group'],
      sessionTimeoutMs: values['kafka.sessionTimeout'],
      rebalanceTimeoutMs: values['kafka.rebalanceTimeout'],
      lingerMs: values['kafka.linger'],
      batchBytes: values['kafka.batchSize'],
      compression: values['kafka.compression'],
      maximumWaitingBytes: values['kafka.maximumWaiting'],
      minimumRetentionMs: values['kafka.retention'],
      deadLetterTopic: deadLetterTopicOf(topic, values),
      clock: systemClock,
      // What kafkajs calls an error it tries again; what comes of it in the end is told by errors and events of ours.
      onLog: (level, message) => log(level === 'error' ? 'debug' : level, message),
    });
  },
  examine,
};

/** Makes or checks the topics of a queue on Kafka; `repair` changes settings that would lose something. */
export async function initKafka(address: KafkaAddress, values: Values, repair: boolean): Promise<InitReport> {
  const { initTopic } = await import('../queues/kafka/topics/init-topic.ts');
  return initTopic({
    ...(await administration(address, values)),
    ...made(address, values),
    topic: address.topic,
    repair,
  });
}

/** What is set up so that it would lose commands or their order, or do worse than it could. */
async function examine(address: KafkaAddress, values: Values): Promise<readonly Finding[]> {
  const { checkTopic } = await import('../queues/kafka/topics/check-topic.ts');
  const { topic, findings } = await checkTopic({
    ...(await administration(address, values)),
    ...needs(address, values),
    minimumRetentionMs: values['kafka.retention'],
  });
  const subject = 'kafka';
  const judged = findings.map(({ severity, what, remedy }) => {
    if (severity === 'problem') return problem(subject, what, remedy);
    return severity === 'warning' ? warning(subject, what, remedy) : ok(subject, what);
  });
  if (topic === undefined) return judged;
  return [ok(subject, `topic ${topic.name} has ${topic.partitions} partitions`), ...judged];
}

async function administration(address: KafkaAddress, values: Values) {
  return { connection: await kafkaConnection(address, values), clock: systemClock, onLog: () => undefined };
}

/** How topics are made. */
function made(address: KafkaAddress, values: Values) {
  const { batchBytes, deadLetterTopic } = needs(address, values);
  return {
    batchBytes,
    deadLetterTopic,
    partitions: values['kafka.partitions'],
    replicationFactor: values['kafka.replicationFactor'],
    minimumInSyncReplicas: values['kafka.minimumInSyncReplicas'],
    retentionMs: values['kafka.retention'],
  };
}

function needs({ topic }: KafkaAddress, values: Values) {
  return { topic, batchBytes: values['kafka.batchSize'], deadLetterTopic: deadLetterTopicOf(topic, values) };
}

function deadLetterTopicOf(topic: string, values: Values): string | undefined {
  if (!values['kafka.copyDeadLetters']) return undefined;
  return values['kafka.deadLetterTopic'] ?? `${topic}.dead-letters`;
}

/** What a topic is filled anew for. */
export interface RepartitionRequest {
  /** The topic of commands as it is. */
  readonly address: KafkaAddress;
  /** The one that takes its place. */
  readonly to: string;
  readonly values: Values;
  readonly onProgress: (records: number) => void;
  readonly signal: AbortSignal;
}

/** Fills a new topic, of another count of partitions, with everything that a topic holds. */
export async function repartitionKafka(request: RepartitionRequest): Promise<InitReport> {
  const { address, to, values, onProgress, signal } = request;
  const { repartition } = await import('../queues/kafka/topics/repartition.ts');
  return repartition({
    ...(await administration(address, values)),
    ...made({ ...address, topic: to }, values),
    from: address.topic,
    to,
    onProgress: ({ copied }) => onProgress(copied),
    signal,
  });
}
