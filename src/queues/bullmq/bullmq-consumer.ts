import type { EventEmitter } from 'node:events';
import { isPersistenceError, type PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AssignmentHandler, QueuedDelivery, QueueEvents, TakeLimits } from '../../ports/queue.ts';
import { ConsumerLife } from '../consumer-life.ts';
import { DeliveryTaker } from '../delivery-taker.ts';
import { openOrClose } from '../open-or-close.ts';
import { PartitionOwnership } from '../partition-ownership.ts';
import type { DrainableConsumer } from '../tracked-consumer.ts';
import { Announcements } from './announcements.ts';
import type { Archiving } from './archive/archiving.ts';
import { GroupMember } from './group-member.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { ReadAhead } from './read-ahead.ts';
import { overtaken, ShardFeed } from './shard-feed.ts';
import { Trims } from './trims.ts';

export interface BullmqConsumerOptions {
  /** Over a connection for consuming alone, which belongs to whoever opened it. */
  readonly scripts: LayoutScripts;
  readonly shards: number;
  readonly shardOf: (session: SessionId) => number;
  /** Names this consumer; nobody else ever uses the name. */
  readonly name: string;
  /** Milliseconds after which a consumer that is not heard of counts as gone. */
  readonly lease: number;
  readonly clock: Clock;
  /** Told what the consumer goes through. */
  readonly events: EventEmitter<QueueEvents>;
  readonly archiving: Archiving;
}

/** Milliseconds for which a shard is kept from others because its batches are not settled. */
const drainTimeout = 60_000;

/**
 * Consumes the shards that fall to this member of the group, from the positions that the store holds. Redis may come and
 * go; what no retry mends rejects {@link take}, and lets the rest of the group go on without this member.
 */
export class BullmqConsumer implements DrainableConsumer {
  readonly #options: BullmqConsumerOptions;
  readonly #handler: AssignmentHandler;
  readonly #life: ConsumerLife;
  readonly #member: GroupMember;
  readonly #ownership: PartitionOwnership;
  readonly #trims: Trims;
  readonly #announcements: Announcements;
  readonly #feeds = new Map<number, ShardFeed>();
  readonly #ahead = new ReadAhead();
  /** Resolves once those that are gone from the feeds do nothing more. */
  #settling: Promise<unknown> = Promise.resolve();
  readonly #taker = new DeliveryTaker(this.#feeds);

  constructor(options: BullmqConsumerOptions, handler: AssignmentHandler) {
    this.#options = options;
    this.#handler = handler;
    const { clock, events } = options;
    const life = new ConsumerLife({
      clock,
      events,
      join: () => this.#join(),
      next: (limits) => this.#next(limits),
      leave: () => this.#leave(),
    });
    this.#life = life;
    const onFailed = (error: PersistenceError): void => life.fail(error);
    this.#trims = new Trims({ ...options, onFailed });
    this.#ownership = new PartitionOwnership({
      handler,
      clock,
      drainTimeout,
      start: (positions) => this.#start(positions),
      stop: (shards) => this.#stop(shards),
      settled: async () => undefined,
      freed: () => this.#member.hurry(),
      onAssigned: (shards) => events.emit('assigned', shards),
      onRevoked: (shards) => {
        for (const shard of shards) this.#forget(shard);
        events.emit('revoked', shards);
      },
      onFailed,
    });
    this.#member = new GroupMember({
      ...options,
      fills: handler.fills,
      outage: life.outage,
      listener: {
        owned: () => this.#ownership.owned,
        assigned: (shards) => void this.#ownership.assign(shards).then(() => life.opened()),
        confirmed: () => life.arrived(),
        failed: onFailed,
      },
    });
    this.#announcements = new Announcements(options, {
      arrived: (shard) => this.#feeds.get(shard)?.arrived(),
      groupChanged: () => this.#member.hurry(),
    });
  }

  /** Joins the group. Resolves once the first shards are assigned and verified, rejects once that cannot be any more. */
  open(): Promise<void> {
    return this.#life.open();
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#life.take(limits, signal);
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#life.takeNow(limits);
  }

  /** What is stored is removed from Redis behind the caller's back; whoever consumes next removes what was left. */
  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    this.#life.refuseUndelivered(positions);
    for (const [shard, { next }] of positions) this.#trim(shard, next);
  }

  drain(): Promise<void> {
    return this.#ownership.drain();
  }

  /** Leaves the group at once, settling nothing. Takes some seconds at most when Redis is away. Idempotent. */
  close(): Promise<void> {
    return this.#life.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #join(): void {
    this.#announcements.start();
    this.#member.start();
  }

  #next(limits: TakeLimits): readonly QueuedDelivery[] {
    // Others may work on the shards already: wait for Redis to say that they do not.
    return this.#member.isConfirmed ? this.#taker.take(limits) : [];
  }

  async #start(positions: ReadonlyMap<number, StoredPosition | undefined>): Promise<void> {
    const { shards, shardOf, archiving, name } = this.#options;
    const starting = [...positions].map(async ([shard, position]) => {
      const place = { shard, shards, shardOf };
      const onFailed = (error: PersistenceError): void => this.#life.fail(error);
      const feed = new ShardFeed({
        ...this.#options,
        ...archiving.of(place, name, onFailed),
        place,
        ahead: this.#ahead,
        outage: this.#life.outage,
        onArrived: () => this.#life.arrived(),
        onFailed,
      });
      this.#feeds.set(shard, feed);
      await this.#startFeed(feed, position);
      if (position === undefined) return;
      this.#life.startedAt(shard, position);
      this.#trim(shard, position.next);
    });
    await Promise.all(starting);
  }

  async #startFeed(feed: ShardFeed, position: StoredPosition | undefined): Promise<void> {
    try {
      await feed.start(position);
    } catch (error) {
      if (!isPersistenceError(error, 'SOURCE_LOST_HISTORY')) throw error;
      // Since the position was read, this worker may have slept while others went on and removed what they had stored.
      const { partition } = feed;
      const latest = (await this.#handler.assigned([partition])).get(partition);
      throw latest?.next === position?.next ? error : overtaken(partition);
    }
  }

  #stop(shards: readonly number[]): void {
    // They stay until they are settled: what of them is being stored is going to be acknowledged.
    for (const shard of shards) this.#feeds.get(shard)?.close();
  }

  #forget(shard: number): void {
    this.#settling = Promise.all([this.#settling, this.#feeds.get(shard)?.settled()]);
    this.#feeds.delete(shard);
  }

  #trim(shard: number, next: number): void {
    const end = this.#feeds.get(shard)?.stored(next);
    if (end !== undefined) this.#trims.note(shard, end);
  }

  async #leave(): Promise<void> {
    const feeds = [...this.#feeds.values()];
    for (const feed of feeds) feed.close();
    this.#ownership.close();
    await Promise.all([this.#announcements.close(), this.#trims.close().then(() => this.#member.close())]);
    await Promise.all([this.#settling, ...feeds.map((feed) => feed.settled())]);
  }
}

/**
 * Joins the group and starts to consume. Resolves once shards are assigned, maybe none as yet, and Redis is known to
 * hold the positions that the handler started them at. Rejects with `SOURCE_LOST_HISTORY` where it does not,
 * `GROUP_CONFLICT` for another store than the rest of the group fills, `QUEUE_UNAVAILABLE` when Redis does not answer
 * for some seconds, `QUEUE_CLOSED` once `signal` is aborted, and with what the handler throws.
 */
export function openBullmqConsumer(
  options: BullmqConsumerOptions,
  handler: AssignmentHandler,
  signal: AbortSignal,
): Promise<BullmqConsumer> {
  return openOrClose(new BullmqConsumer(options, handler), signal);
}
