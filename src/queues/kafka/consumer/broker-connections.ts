import { isPersistenceError, PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KafkaCluster } from '../connection/cluster.ts';
import { brokerError } from '../connection/failures.ts';
import { answeredWithin } from './time-limit.ts';

/** How to reach the brokers of a topic. Times in milliseconds. */
export interface ConnectionParts {
  /** A set of connections of its own, not connected yet: asked for again after every failure. */
  readonly openCluster: () => KafkaCluster;
  readonly clock: Clock;
  /** The topic that they are for. */
  readonly topicName: string;
  /** Most that a request may take. */
  readonly requestTimeout: number;
}

export interface Question {
  /** Most milliseconds to wait for the answer. Default: what a request may take. */
  readonly within?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connections to the brokers that mend themselves: made when first asked, and, after a failure that is no broker's
 * answer or an answer that does not come in time, abandoned and made from scratch for the next question. So nothing
 * that goes wrong within the library can last.
 */
export class BrokerConnections {
  readonly #parts: ConnectionParts;
  #cluster: KafkaCluster | undefined;
  #connected: Promise<KafkaCluster> | undefined;
  #isClosed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Rejects with whatever the question does, and what {@link answeredWithin} does. */
  async ask<Answer>(
    doing: string,
    question: (cluster: KafkaCluster) => Promise<Answer>,
    { within, signal }: Question = {},
  ): Promise<Answer> {
    const { clock, requestTimeout } = this.#parts;
    const connected = this.#connection();
    const cluster = this.#cluster;
    try {
      return await answeredWithin(clock, within ?? requestTimeout, doing, connected.then(question), signal);
    } catch (error) {
      // Another question may have made new connections meanwhile: those stay.
      if (brokerError(error) === undefined && cluster === this.#cluster) void this.abandon();
      if (isPersistenceError(error, 'QUEUE_CLOSED') && !this.#isClosed) throw cutOff(doing, error);
      throw error;
    }
  }

  /** Ends every question under way; the next one is asked over new connections. */
  async abandon(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    this.#connected = undefined;
    await cluster?.close().catch(() => undefined);
  }

  /** Ends every question under way, and answers none any more. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.abandon();
  }

  #connection(): Promise<KafkaCluster> {
    if (this.#isClosed) {
      return Promise.reject(new PersistenceError('QUEUE_CLOSED', 'the connection to Kafka was closed'));
    }
    this.#connected ??= this.#connect();
    return this.#connected;
  }

  async #connect(): Promise<KafkaCluster> {
    const cluster = this.#parts.openCluster();
    this.#cluster = cluster;
    try {
      await cluster.connect();
      // Otherwise kafkajs asks for every topic there is when it learns the brokers.
      await cluster.addTargetTopic(this.#parts.topicName);
      return cluster;
    } catch (error) {
      if (cluster === this.#cluster) void this.abandon();
      throw error;
    }
  }
}

/** Another question was not answered, and the connections that this one was asked over were given up with that. */
function cutOff(doing: string, cause: PersistenceError): PersistenceError {
  return new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: the connection was given up`, { cause });
}
