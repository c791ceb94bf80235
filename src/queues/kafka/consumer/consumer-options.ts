import type { EventEmitter } from 'node:events';
import type { Clock } from '../../../ports/clock.ts';
import type { QueueEvents } from '../../../ports/queue.ts';
import type { KafkaCluster } from '../connection/cluster.ts';
import type { KafkaTopic } from './topic-brokers.ts';

/** How to consume a topic. Times in milliseconds. */
export interface KafkaConsumerOptions {
  /** A set of connections of its own, not connected yet: asked for again after every failure. */
  readonly openCluster: () => KafkaCluster;
  readonly clock: Clock;
  readonly topic: KafkaTopic;
  readonly groupId: string;
  /** Told what the consumer goes through. */
  readonly events: EventEmitter<QueueEvents>;
  /** After how long without a heartbeat the group takes a member for dead. Default 10000. */
  readonly sessionTimeout?: number | undefined;
  /** Default: a tenth of the session timeout, from 250 to 3000. */
  readonly heartbeatInterval?: number | undefined;
  /** How long partitions are kept from others while their batches are not settled. Default 60000. */
  readonly rebalanceTimeout?: number | undefined;
  /** Most that a request may take. Default 10000. */
  readonly requestTimeout?: number | undefined;
  /** Most that a broker lets a fetch wait for records. Default 500. */
  readonly maxWait?: number | undefined;
  /** How often the topic is looked at: whether it is another one, or has more partitions. Default 5000. */
  readonly lookInterval?: number | undefined;
}

/** {@link KafkaConsumerOptions} with everything said. */
export type ConsumerOptions = {
  readonly [Name in keyof KafkaConsumerOptions]-?: Exclude<KafkaConsumerOptions[Name], undefined>;
};

export function consumerOptions(options: KafkaConsumerOptions): ConsumerOptions {
  const sessionTimeout = options.sessionTimeout ?? 10_000;
  return {
    ...options,
    sessionTimeout,
    heartbeatInterval: options.heartbeatInterval ?? Math.min(3_000, Math.max(250, sessionTimeout / 10)),
    rebalanceTimeout: options.rebalanceTimeout ?? 60_000,
    requestTimeout: options.requestTimeout ?? 10_000,
    maxWait: options.maxWait ?? 500,
    lookInterval: options.lookInterval ?? 5_000,
  };
}
