import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { answeredWithin } from '../../time-limit.ts';
import type { KafkaCluster } from '../connection/cluster.ts';
import { brokerError } from '../connection/failures.ts';

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
  #current: Connections | undefined;
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
    if (this.#isClosed) throw closed();
    const current = this.#current ?? this.#connect();
    const { cut } = current;
    try {
      const answer = current.connected.then((cluster) =>
        cut.signal.aborted ? Promise.reject(closed()) : question(cluster),
      );
      return await answeredWithin(clock, within ?? requestTimeout, doing, answer, signal, cut.signal);
    } catch (error) {
      if (this.#isClosed) throw closed();
      if (cut.signal.aborted) throw cutOff(doing, error);
      if (brokerError(error) === undefined && current === this.#current) void this.abandon();
      throw error;
    }
  }

  /** Ends every question under way; the next one is asked over new connections. */
  async abandon(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.cut.abort();
    await current?.cluster.close().catch(() => undefined);
  }

  /** Ends every question under way with `QUEUE_CLOSED`, and answers none any more. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.abandon();
  }

  #connect(): Connections {
    const cluster = this.#parts.openCluster();
    const connect = async (): Promise<KafkaCluster> => {
      await cluster.connect();
      // Otherwise kafkajs asks for every topic there is when it learns the brokers.
      await cluster.addTargetTopic(this.#parts.topicName);
      return cluster;
    };
    const current = { cluster, connected: connect(), cut: new AbortController() };
    this.#current = current;
    current.connected.catch(() => {
      // Not cut: everybody who asks is to learn why.
      if (current === this.#current) this.#current = undefined;
      return cluster.close().catch(() => undefined);
    });
    return current;
  }
}

/** One set of connections, until it is abandoned. */
interface Connections {
  readonly cluster: KafkaCluster;
  readonly connected: Promise<KafkaCluster>;
  /** Aborted once it is abandoned. */
  readonly cut: AbortController;
}

function closed(): PersistenceError {
  return new PersistenceError('QUEUE_CLOSED', 'the connection to Kafka was closed');
}

/** Another question was not answered, and the connections that this one was asked over were given up with that. */
function cutOff(doing: string, cause: unknown): PersistenceError {
  return new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: the connection was given up`, { cause });
}
