import type { PersistenceError } from '../../../domain/errors.ts';
import type { StoredPosition } from '../../../domain/plan.ts';
import type { AssignmentHandler, QueuedDelivery, TakeLimits } from '../../../ports/queue.ts';
import { ConsumerLife } from '../../consumer-life.ts';
import { DeliveryTaker } from '../../delivery-taker.ts';
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
  readonly #life: ConsumerLife;
  readonly #membership: GroupMembership;
  readonly #ownership: PartitionOwnership;
  readonly #fetcher: PartitionFetcher;
  readonly #taker: DeliveryTaker;
  readonly #commits: OffsetCommits;

  constructor(options: ConsumerOptions, handler: AssignmentHandler) {
    const { clock, events, topic, openCluster, requestTimeout, maxWait, lookInterval, rebalanceTimeout } = options;
    const life = new ConsumerLife({
      clock,
      events,
      join: () => this.#membership.start(),
      next: (limits) => this.#next(limits),
      leave: () => this.#leave(),
    });
    this.#life = life;
    const { outage } = life;
    const onFailed = (error: PersistenceError): void => life.fail(error);
    const connecting = { openCluster, clock, requestTimeout };
    this.#fetcher = new PartitionFetcher({
      openBrokers: () => new TopicBrokers(topic, connecting),
      clock,
      outage,
      maxWait,
      requestTimeout,
      lookInterval,
      onArrived: () => life.arrived(),
      onFailed,
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
      onAssigned: (partitions) => events.emit('assigned', partitions),
      onRevoked: (partitions) => {
        this.#commits.forget(partitions);
        events.emit('revoked', partitions);
      },
      onFailed,
    });
    this.#membership = new GroupMembership(options, {
      ...connecting,
      topic,
      fills: handler.fills,
      outage,
      listener: {
        owned: () => this.#ownership.owned,
        assigned: (partitions) => void this.#ownership.assign(partitions).then(() => life.opened()),
        lost: () => void this.#ownership.lose(),
        confirmed: () => life.arrived(),
        failed: onFailed,
      },
    });
    this.#commits = new OffsetCommits(clock, (next, within) => this.#membership.commitOffsets(next, within));
  }

  /** Joins the group. Resolves once the first partitions are assigned and verified, rejects once that cannot be any more. */
  open(): Promise<void> {
    return this.#life.open();
  }

  /** The partitions that nobody else works on. */
  get partitions(): readonly number[] {
    return this.#ownership.owned;
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#life.take(limits, signal);
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#life.takeNow(limits);
  }

  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    this.#life.refuseUndelivered(positions);
    const { owned } = this.#ownership;
    for (const [partition, { next }] of positions) {
      if (owned.includes(partition)) this.#commits.note(partition, next);
    }
  }

  /** Ends as it would because of what no retry mends: {@link take} rejects with `error`. */
  letDown(error: PersistenceError): void {
    this.#life.fail(error);
  }

  /** Delivers nothing more; resolves once the handler has settled all that was delivered. */
  drain(): Promise<void> {
    return this.#ownership.drain();
  }

  /** Leaves the group at once, settling nothing. Takes some seconds at most when the brokers are away. Idempotent. */
  close(): Promise<void> {
    return this.#life.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(limits: TakeLimits): readonly QueuedDelivery[] {
    // Others may work on the partitions already: wait for the coordinator to say that they do not.
    if (!this.#membership.isConfirmed) return [];
    const deliveries = this.#taker.take(limits);
    // Also when there were none: what was fetched last is known to be taken whole only when more is asked for.
    this.#fetcher.taken();
    return deliveries;
  }

  #start(positions: ReadonlyMap<number, StoredPosition | undefined>): Promise<void> {
    for (const [partition, position] of positions) this.#life.startedAt(partition, position ?? { next: 0 });
    return this.#fetcher.add(positions);
  }

  async #leave(): Promise<void> {
    this.#commits.close();
    const told = this.#commits.flush();
    this.#ownership.close();
    await Promise.all([told.then(() => this.#membership.close()), this.#fetcher.close()]);
  }
}
