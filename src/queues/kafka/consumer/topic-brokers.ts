import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KafkaCluster } from '../connection/cluster.ts';
import { brokerError, kafkaFailure, protocolFailure } from '../connection/failures.ts';
import type { TopicId } from '../protocol/fetch.ts';
import { metadataRequest, type TopicMetadata } from '../protocol/metadata.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';
import { BrokerConnections, type ConnectionParts, type Question } from './broker-connections.ts';

/** The topic as it was when the queue was opened: one with another id or another count of partitions is another one. */
export interface KafkaTopic {
  readonly name: string;
  readonly id: TopicId;
  readonly partitions: number;
}

/** Who leads a partition; node -1 while nobody does. */
export interface Leader {
  readonly node: number;
  readonly epoch: number;
}

const unknownTopic = { number: 3, name: 'UNKNOWN_TOPIC_OR_PARTITION' } as const;

/** Asks the brokers of one topic. Everything rejects with a PersistenceError. */
export class TopicBrokers {
  readonly topic: KafkaTopic;
  readonly #clock: Clock;
  /** How long, in ms, the topic may be unknown before it counts as deleted: a broker that has just started knows little. */
  readonly #patience: number;
  readonly #connections: BrokerConnections;
  #unknownSince: number | undefined;

  constructor(topic: KafkaTopic, parts: Omit<ConnectionParts, 'topicName'>) {
    this.topic = topic;
    this.#clock = parts.clock;
    this.#patience = parts.requestTimeout;
    this.#connections = new BrokerConnections({ ...parts, topicName: topic.name });
  }

  /**
   * Who leads the partitions now. Throws `SOURCE_LOST_HISTORY` when the topic was deleted or made anew, `QUEUE_UNSAFE`
   * when it has another count of partitions than it had, `QUEUE_UNAVAILABLE` when that cannot be told at present.
   */
  async leaders(signal?: AbortSignal): Promise<ReadonlyMap<number, Leader>> {
    const doing = `looking up topic ${this.topic.name}`;
    const found = await this.#lookUp(doing, signal);
    if (found === undefined) throw this.#unknown(doing);
    this.#unknownSince = undefined;
    if (found.errorCode !== 0) throw protocolFailure(found.errorCode, doing, 'Describe');
    refuseOther(this.topic, found);
    return new Map(
      found.partitions.map(({ partition, leader, leaderEpoch }) => [partition, { node: leader, epoch: leaderEpoch }]),
    );
  }

  /** The answer of one broker. */
  send<Response>(
    node: number,
    doing: string,
    request: ProtocolRequest<Response>,
    limits?: Question,
  ): Promise<Response> {
    const question = async (cluster: KafkaCluster): Promise<Response> =>
      cluster.send(await cluster.findBroker(node), request);
    return this.ask(doing, question, limits);
  }

  /** Ends every question under way. Idempotent. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Whatever else is asked of the brokers. */
  async ask<Answer>(
    doing: string,
    question: (cluster: KafkaCluster) => Promise<Answer>,
    limits?: Question,
  ): Promise<Answer> {
    try {
      return await this.#connections.ask(doing, question, limits);
    } catch (error) {
      throw kafkaFailure(error, doing);
    }
  }

  /** Undefined when the brokers know no such topic. */
  async #lookUp(doing: string, signal: AbortSignal | undefined): Promise<TopicMetadata | undefined> {
    const question = async (cluster: KafkaCluster): Promise<readonly TopicMetadata[]> =>
      cluster.send(await cluster.anyBroker(), metadataRequest([this.topic.name]));
    try {
      const [found] = await this.#connections.ask(doing, question, { signal });
      return found?.errorCode === unknownTopic.number ? undefined : found;
    } catch (error) {
      if (brokerError(error) === unknownTopic.name) return undefined;
      // Nobody has said meanwhile that it is unknown.
      this.#unknownSince = undefined;
      throw kafkaFailure(error, doing);
    }
  }

  #unknown(doing: string): PersistenceError {
    const now = this.#clock.elapsed();
    this.#unknownSince ??= now;
    if (now - this.#unknownSince < this.#patience) {
      return new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: the brokers do not know it at present`);
    }
    const message = `topic ${this.topic.name} is gone: it was deleted, and what it held with it`;
    return new PersistenceError('SOURCE_LOST_HISTORY', message);
  }
}

function refuseOther(topic: KafkaTopic, found: TopicMetadata): void {
  if (found.topicId !== topic.id) {
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `topic ${topic.name} was deleted and made anew (its id was ${topic.id} and is ${found.topicId}): what it held is gone`,
    );
  }
  if (found.partitions.length !== topic.partitions) {
    throw new PersistenceError(
      'QUEUE_UNSAFE',
      `topic ${topic.name} had ${topic.partitions} partitions and has ${found.partitions.length}: sessions would lie in two ` +
        'partitions and lose their order; more partitions need a new topic, which macp-persist repartition fills',
    );
  }
}
