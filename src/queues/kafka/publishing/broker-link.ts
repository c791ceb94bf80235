import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import { protocolFailure } from '../connection/failures.ts';
import { readOffsets } from '../consumer/read-bounds.ts';
import type { KafkaTopic, Leader, TopicBrokers } from '../consumer/topic-brokers.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';
import { produceKey, produceRequest } from './produce-request.ts';
import { hasSuccessor } from './successor.ts';
import {
  addPartitionsRequest,
  describeTransactionRequest,
  endTransactionRequest,
  findCoordinatorRequest,
  initProducerRequest,
  type ProducerIdentity,
} from './transaction-requests.ts';

/**
 * Why something is not known to be done, and what that asks of a producer: to say the very same again; to go on under
 * a new identity; to find out whether a successor has shut it out; or nothing, because no retry mends it.
 */
export interface BrokerFailure {
  readonly asks: 'again' | 'new identity' | 'fenced' | 'final';
  readonly error: PersistenceError;
}

/** What a producer asks of the brokers. Nothing rejects. */
export interface BrokerLink {
  /** A new identity; with `after`, only if nobody else was given one for this transactional id since. */
  initialise(after: ProducerIdentity | undefined): Promise<ProducerIdentity | BrokerFailure>;
  /** Makes the partitions a part of the transaction that is open, or opens one. */
  addPartitions(identity: ProducerIdentity, partitions: readonly number[]): Promise<BrokerFailure | undefined>;
  endTransaction(identity: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<BrokerFailure | undefined>;
  /** Has one stamped batch a partition written by all replicas in sync. By partition: its first offset, or a failure. */
  produce(batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, number | BrokerFailure>>;
  /**
   * By partition, behind which offset nothing is written by all replicas in sync (`written`), or nothing is read by those
   * who read committed (`latest`).
   */
  ends(place: 'written' | 'latest'): Promise<ReadonlyMap<number, number> | BrokerFailure>;
}

/** Tells an answer from a failure. */
export function isFailure(answer: unknown): answer is BrokerFailure {
  return typeof answer === 'object' && answer !== null && 'asks' in answer;
}

export interface ClusterLinkOptions {
  readonly brokers: TopicBrokers;
  readonly topic: KafkaTopic;
  readonly transactionalId: string | undefined;
  /** Milliseconds after which the brokers give up a transaction that its producer left open. */
  readonly transactionTimeout: number;
  /** Most milliseconds that a broker waits for the replicas. */
  readonly produceTimeout: number;
}

/** Apache Kafka, `Errors`: sequences that do not fit, transactions that are not what they should be. */
const identityLost: ReadonlySet<number> = new Set([45, 46, 48, 59, 120]);
/** A topic that was there: a broker that has just started may not know it yet. */
const unknownTopic: ReadonlySet<number> = new Set([3, 100]);
/**
 * INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, and INVALID_PRODUCER_ID_MAPPING and TRANSACTIONAL_ID_NOT_FOUND: the brokers
 * forget a transactional id that was not used for a week, and with it who was shut out.
 */
const shutOut: ReadonlySet<number> = new Set([47, 49, 90, 105]);
const producerFenced = 90;

/** The brokers of one topic, as a producer sees them. */
export class ClusterLink implements BrokerLink {
  readonly #options: ClusterLinkOptions;
  #leaders: ReadonlyMap<number, Leader> | undefined;
  #coordinator: number | undefined;
  /** A newer identity may have been given here without the answer having come. */
  #mayHaveNext = false;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
  }

  async initialise(after: ProducerIdentity | undefined): Promise<ProducerIdentity | BrokerFailure> {
    const { topic, transactionalId, transactionTimeout } = this.#options;
    const doing = `starting to publish to topic ${topic.name}${transactionalId === undefined ? '' : ` as ${transactionalId}`}`;
    const request = initProducerRequest(transactionalId, transactionTimeout, after);
    try {
      const refusal = after === undefined ? 0 : await this.#refusalOf(after, doing);
      if (refusal !== 0) return this.#coordinatorFailed(refusal, doing);
      this.#mayHaveNext = true;
      const asked = transactionalId === undefined ? this.#askAny(doing, request) : this.#askCoordinator(doing, request);
      const { errorCode, producerId, epoch } = await asked;
      if (errorCode !== 0) return this.#coordinatorFailed(errorCode, doing);
      this.#mayHaveNext = false;
      return { producerId, epoch };
    } catch (error) {
      return this.#connectionFailed(error);
    }
  }

  addPartitions(identity: ProducerIdentity, partitions: readonly number[]): Promise<BrokerFailure | undefined> {
    const { topic } = this.#options;
    const part = { transactionalId: this.#transactionalId(), identity };
    return this.#change('opening a transaction', addPartitionsRequest(part, topic.name, partitions));
  }

  endTransaction(identity: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<BrokerFailure | undefined> {
    const part = { transactionalId: this.#transactionalId(), identity };
    return this.#change('ending a transaction', endTransactionRequest(part, outcome));
  }

  async produce(batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, number | BrokerFailure>> {
    const answers = new Map<number, number | BrokerFailure>();
    let byNode: ReadonlyMap<number, ReadonlyMap<number, Buffer>>;
    try {
      byNode = await this.#byLeader(batches);
    } catch (error) {
      const failure = this.#connectionFailed(error);
      for (const partition of batches.keys()) answers.set(partition, failure);
      return answers;
    }
    await Promise.all([...byNode].map(([node, part]) => this.#produceAt(node, part, answers)));
    // Whoever did not answer for a partition may lead it no more.
    if ([...answers.values()].some(isFailure)) this.#leaders = undefined;
    return answers;
  }

  async ends(place: 'written' | 'latest'): Promise<ReadonlyMap<number, number> | BrokerFailure> {
    const { brokers, topic } = this.#options;
    try {
      const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
      return await readOffsets(brokers, partitions, place);
    } catch (error) {
      return this.#connectionFailed(error);
    }
  }

  /** Why nobody may go on from this identity, as an error code of the brokers, or 0. */
  async #refusalOf(after: ProducerIdentity, doing: string): Promise<number> {
    const described = await this.#askCoordinator(doing, describeTransactionRequest(this.#transactionalId()));
    if (described.errorCode !== 0) return described.errorCode;
    return hasSuccessor(after, described, this.#mayHaveNext) ? producerFenced : 0;
  }

  async #produceAt(
    node: number,
    batches: ReadonlyMap<number, Buffer>,
    answers: Map<number, number | BrokerFailure>,
  ): Promise<void> {
    const { brokers, topic, transactionalId, produceTimeout } = this.#options;
    const doing = `publishing to topic ${topic.name}`;
    const unanswered = new PersistenceError(
      'QUEUE_UNAVAILABLE',
      `${doing}: a broker left a partition out of its answer`,
    );
    for (const partition of batches.keys()) answers.set(partition, { asks: 'again', error: unanswered });
    try {
      if (node < 0) throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: nobody leads a partition at present`);
      const produced = await brokers.ask(doing, async (cluster) => {
        const broker = await cluster.findBroker(node);
        const newestVersion = broker.versions?.[produceKey]?.maxVersion ?? 0;
        const request = { topic, transactionalId, timeout: produceTimeout, batches, newestVersion };
        return await cluster.send(broker, produceRequest(request));
      });
      for (const { partition, errorCode, baseOffset } of produced) {
        if (errorCode !== 0) answers.set(partition, failureOf(errorCode, `${doing}, partition ${partition}`));
        else if (baseOffset >= 0) answers.set(partition, baseOffset);
      }
    } catch (error) {
      const failure = this.#connectionFailed(error);
      for (const partition of batches.keys()) answers.set(partition, failure);
    }
  }

  async #byLeader(batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, ReadonlyMap<number, Buffer>>> {
    this.#leaders ??= await this.#options.brokers.leaders();
    const byNode = new Map<number, Map<number, Buffer>>();
    for (const [partition, batch] of batches) {
      const node = this.#leaders.get(partition)?.node ?? -1;
      const part = byNode.get(node) ?? new Map<number, Buffer>();
      byNode.set(node, part.set(partition, batch));
    }
    return byNode;
  }

  async #change(doing: string, request: ProtocolRequest<number>): Promise<BrokerFailure | undefined> {
    try {
      const errorCode = await this.#askCoordinator(doing, request);
      return errorCode === 0 ? undefined : this.#coordinatorFailed(errorCode, doing);
    } catch (error) {
      return this.#connectionFailed(error);
    }
  }

  async #askCoordinator<Response>(doing: string, request: ProtocolRequest<Response>): Promise<Response> {
    if (this.#coordinator === undefined) {
      const { errorCode, node } = await this.#askAny(doing, findCoordinatorRequest(this.#transactionalId()));
      if (errorCode !== 0) throw protocolFailure(errorCode, doing, 'Describe');
      this.#coordinator = node;
    }
    return await this.#options.brokers.send(this.#coordinator, doing, request);
  }

  #askAny<Response>(doing: string, request: ProtocolRequest<Response>): Promise<Response> {
    return this.#options.brokers.ask(doing, async (cluster) => cluster.send(await cluster.anyBroker(), request));
  }

  #coordinatorFailed(errorCode: number, doing: string): BrokerFailure {
    const failure = failureOf(errorCode, doing);
    if (errorCode !== concurrentTransactions) this.#coordinator = undefined;
    return failure;
  }

  /** Connections that failed are made anew, and who leads what is asked again. */
  #connectionFailed(thrown: unknown): BrokerFailure {
    this.#coordinator = undefined;
    this.#leaders = undefined;
    const error = toPersistenceError(thrown);
    return { asks: error.retryable || error.code === 'QUEUE_UNSAFE' ? 'again' : 'final', error };
  }

  #transactionalId(): string {
    const { transactionalId } = this.#options;
    if (transactionalId === undefined) throw new TypeError('there are no transactions without a transactional id');
    return transactionalId;
  }
}

/** An earlier transaction of this producer is still being ended: the coordinator is the right one. */
const concurrentTransactions = 51;

function failureOf(errorCode: number, doing: string): BrokerFailure {
  const error = protocolFailure(errorCode, doing, 'Write');
  if (shutOut.has(errorCode)) return { asks: 'fenced', error };
  if (identityLost.has(errorCode)) return { asks: 'new identity', error };
  return { asks: error.retryable || unknownTopic.has(errorCode) ? 'again' : 'final', error };
}
