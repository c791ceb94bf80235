import { PersistenceError } from '../../../domain/errors.ts';
import type { StoredPosition } from '../../../domain/plan.ts';
import type { AssignmentHandler, QueuedDelivery, TakeLimits } from '../../../ports/queue.ts';
import { Bell } from '../../bell.ts';
import { DeliveryTaker } from '../../delivery-taker.ts';
import { Outage } from '../../outage.ts';
import { PartitionOwnership } from '../../partition-ownership.ts';
import type { DrainableConsumer } from '../../tracked-consumer.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { GroupMembership } from './group-membership.ts';
import { OffsetCommits } from './offset-commits.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import { TopicBrokers } from './topic-brokers.ts';

/**
 * Consumes the partitions that a group gives to this member, from the positions that the store holds. Brokers may come
 * and go; what no retry mends rejects {@link take}, and lets the rest of the group go on without this member.
 */
export class KafkaConsumer implements DrainableConsumer {
  readonly #outage: Outage;
  readonly #membership: GroupMembership;
  readonly #ownership: PartitionOwnership;
  readonly #fetcher: PartitionFetcher;
  readonly #taker: DeliveryTaker;
  readonly #commits: OffsetCommits;
  readonly #arrived = new Bell();
  /** By partition the offset behind the last that was ever delivered. */
  readonly #delivered = new Map<number, number>();
  readonly #changed = new Bell();
  #isOpen = false;
  #isTaking = false;
  #isClosed = false;
  #failure: PersistenceError | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: ConsumerOptions, handler: AssignmentHandler) {
    const { clock, topic, openCluster, requestTimeout, maxWait, lookInterval, rebalanceTimeout } = options;
    this.#outage = new Outage(clock, {
      unavailable: (error) => (this.#isOpen ? options.events.emit('unavailable', error) : this.#fail(error)),
      // What is not asked any more does not answer either.
      available: (milliseconds) => this.#isClosed || options.events.emit('available', milliseconds),
    });
    const connecting = { openCluster, clock, requestTimeout };
    this.#fetcher = new PartitionFetcher({
      openBrokers: () => new TopicBrokers(topic, connecting),
      clock,
      outage: this.#outage,
      maxWait,
      requestTimeout,
      lookInterval,
      onArrived: () => this.#arrived.ring(),
      onFailed: (error) => this.#fail(error),
    });
    this.#taker = new DeliveryTaker(this.#fetcher.feeds);
    this.#ownership = new PartitionOwnership({
      handler,
      clock,
      drainTimeout: rebalanceTimeout,
      start: (positions) => this.#start(positions),
      stop: (partitions) => this.#fetcher.remove(partitions),
      settled: (partitions) => this.#commits.flush(partitions),
      freed: () => this.#membership.rejoin(),
      onAssigned: (partitions) => options.events.emit('assigned', partitions),
      onRevoked: (partitions) => {
        this.#commits.forget(partitions);
        options.events.emit('revoked', partitions);
      },
      onFailed: (error) => this.#fail(error),
    });
    this.#membership = new GroupMembership(options, {
      ...connecting,
      topic,
      fills: handler.fills,
      outage: this.#outage,
      listener: {
        owned: () => this.#ownership.owned,
        assigned: (partitions) => void this.#ownership.assign(partitions).then(() => this.#open()),
        lost: () => void this.#ownership.lose(),
        confirmed: () => this.#arrived.ring(),
        failed: (error) => this.#fail(error),
      },
    });
    this.#commits = new OffsetCommits(clock, (next, within) => this.#membership.commitOffsets(next, within));
  }

  /** Joins the group. Resolves once the first partitions are assigned and verified, rejects once that cannot be any more. */
  async open(): Promise<void> {
    if (!this.#isClosed) this.#membership.start();
    while (!this.#isOpen && !this.#isClosed && this.#failure === undefined) await this.#changed.wait();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
  }

  /** The partitions that nobody else works on. */
  get partitions(): readonly number[] {
    return this.#ownership.owned;
  }

  async take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    this.#refuseMisuse(limits);
    this.#isTaking = true;
    try {
      while (!this.#isClosed && signal?.aborted !== true) {
        const deliveries = this.#take(limits);
        if (deliveries.length > 0) return deliveries;
        await this.#arrived.wait(signal);
      }
      return [];
    } finally {
      this.#isTaking = false;
    }
  }

  async takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    this.#refuseMisuse(limits);
    return this.#isClosed ? [] : this.#take(limits);
  }

  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
    const { owned } = this.#ownership;
    for (const [partition, { next }] of positions) {
      if (next > (this.#delivered.get(partition) ?? -1)) {
        throw new TypeError(`offset ${next} of partition ${partition} was not delivered and cannot be acknowledged`);
      }
      if (owned.includes(partition)) this.#commits.note(partition, next);
    }
  }

  /** Ends as it would because of what no retry mends: {@link take} rejects with `error`. */
  letDown(error: PersistenceError): void {
    this.#fail(error);
  }

  /** Delivers nothing more; resolves once the handler has settled all that was delivered. */
  drain(): Promise<void> {
    return this.#ownership.drain();
  }

  /** Leaves the group at once, settling nothing. Takes some seconds at most when the brokers are away. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#changed.ring();
    await this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): void {
    this.#isOpen = true;
    this.#changed.ring();
  }

  #take(limits: TakeLimits): readonly QueuedDelivery[] {
    if (this.#failure !== undefined) throw this.#failure;
    // Others may work on the partitions already: wait for the coordinator to say that they do not.
    if (!this.#membership.isConfirmed) return [];
    const deliveries = this.#taker.take(limits);
    for (const { position } of deliveries) this.#delivered.set(position.partition, position.offset + 1);
    // Also when there were none: what was fetched last is known to be taken whole only when more is asked for.
    this.#fetcher.taken();
    return deliveries;
  }

  #start(positions: ReadonlyMap<number, StoredPosition | undefined>): Promise<void> {
    for (const [partition, position] of positions) {
      const before = this.#delivered.get(partition) ?? 0;
      this.#delivered.set(partition, Math.max(before, position?.next ?? 0));
    }
    return this.#fetcher.add(positions);
  }

  #fail(error: PersistenceError): void {
    this.#failure ??= error;
    this.#changed.ring();
    this.#arrived.ring();
    void this.#end();
  }

  #end(): Promise<void> {
    this.#ending ??= this.#leave();
    return this.#ending;
  }

  async #leave(): Promise<void> {
    this.#arrived.ring();
    this.#commits.close();
    const told = this.#commits.flush();
    this.#ownership.close();
    await Promise.all([told.then(() => this.#membership.close()), this.#fetcher.close()]);
  }

  #refuseMisuse(limits: TakeLimits): void {
    if (!(limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    if (this.#isTaking) throw new TypeError('a consumer takes one batch at a time');
  }
}
