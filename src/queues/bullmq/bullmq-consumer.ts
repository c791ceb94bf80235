import type { EventEmitter } from 'node:events';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AssignmentHandler, QueuedDelivery, QueueEvents, TakeLimits } from '../../ports/queue.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { Bell } from '../bell.ts';
import { DeliveryTaker } from '../delivery-taker.ts';
import { Outage } from '../outage.ts';
import { PartitionOwnership } from '../partition-ownership.ts';
import type { DrainableConsumer } from '../tracked-consumer.ts';
import { Announcements } from './announcements.ts';
import { GroupMember } from './group-member.ts';
import type { BullmqKeys } from './keys.ts';
import { ShardFeed } from './shard-feed.ts';
import { Trims } from './trims.ts';

export interface BullmqConsumerOptions {
  /** For consuming alone; it belongs to whoever opened it. */
  readonly connection: RedisConnection;
  readonly keys: BullmqKeys;
  readonly shards: number;
  readonly shardOf: (session: SessionId) => number;
  /** Names this consumer; nobody else ever uses the name. */
  readonly name: string;
  /** Milliseconds after which a consumer that is not heard of counts as gone. */
  readonly lease: number;
  readonly clock: Clock;
  /** Told what the consumer goes through. */
  readonly events: EventEmitter<QueueEvents>;
}

/** Milliseconds for which a shard is kept from others because its batches are not settled. */
const drainTimeout = 60_000;

/**
 * Consumes the shards that fall to this member of the group, from the positions that the store holds. Redis may come and
 * go; what no retry mends rejects {@link take}, and lets the rest of the group go on without this member.
 */
export class BullmqConsumer implements DrainableConsumer {
  readonly #options: BullmqConsumerOptions;
  readonly #outage: Outage;
  readonly #member: GroupMember;
  readonly #ownership: PartitionOwnership;
  readonly #trims: Trims;
  readonly #announcements: Announcements;
  readonly #feeds = new Map<number, ShardFeed>();
  readonly #taker = new DeliveryTaker(this.#feeds);
  readonly #arrived = new Bell();
  readonly #changed = new Bell();
  /** By shard the offset behind the last that was ever delivered. */
  readonly #delivered = new Map<number, number>();
  #isOpen = false;
  #isTaking = false;
  #isClosed = false;
  #failure: PersistenceError | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: BullmqConsumerOptions, handler: AssignmentHandler) {
    this.#options = options;
    const { clock, events } = options;
    const onFailed = (error: PersistenceError): void => this.#fail(error);
    this.#outage = new Outage(clock, {
      unavailable: (error) => (this.#isOpen ? events.emit('unavailable', error) : this.#fail(error)),
      available: (milliseconds) => this.#isClosed || events.emit('available', milliseconds),
    });
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
        for (const shard of shards) this.#feeds.delete(shard);
        events.emit('revoked', shards);
      },
      onFailed,
    });
    this.#member = new GroupMember({
      ...options,
      fills: handler.fills,
      outage: this.#outage,
      listener: {
        owned: () => this.#ownership.owned,
        assigned: (shards) => void this.#ownership.assign(shards).then(() => this.#open()),
        confirmed: () => this.#arrived.ring(),
        failed: onFailed,
      },
    });
    this.#announcements = new Announcements(options, {
      arrived: (shard) => this.#feeds.get(shard)?.arrived(),
      groupChanged: () => this.#member.hurry(),
    });
  }

  /** Joins the group. Resolves once the first shards are assigned and verified, rejects once that cannot be any more. */
  async open(): Promise<void> {
    if (!this.#isClosed) {
      this.#announcements.start();
      this.#member.start();
    }
    while (!this.#isOpen && !this.#isClosed && this.#failure === undefined) await this.#changed.wait();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
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

  /** What is stored is removed from Redis behind the caller's back; whoever consumes next removes what was left. */
  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
    for (const [shard, { next }] of positions) {
      if (next > (this.#delivered.get(shard) ?? -1)) {
        throw new TypeError(`offset ${next} of shard ${shard} was not delivered and cannot be acknowledged`);
      }
      this.#trim(shard, next);
    }
  }

  drain(): Promise<void> {
    return this.#ownership.drain();
  }

  /** Leaves the group at once, settling nothing. Takes some seconds at most when Redis is away. Idempotent. */
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
    // Others may work on the shards already: wait for Redis to say that they do not.
    if (!this.#member.isConfirmed) return [];
    const deliveries = this.#taker.take(limits);
    for (const { position } of deliveries) this.#delivered.set(position.partition, position.offset + 1);
    return deliveries;
  }

  async #start(positions: ReadonlyMap<number, StoredPosition | undefined>): Promise<void> {
    const { shards, shardOf } = this.#options;
    const starting = [...positions].map(async ([shard, position]) => {
      const feed = new ShardFeed({
        ...this.#options,
        place: { shard, shards, shardOf },
        outage: this.#outage,
        onArrived: () => this.#arrived.ring(),
        onFailed: (error) => this.#fail(error),
      });
      this.#feeds.set(shard, feed);
      await feed.start(position);
      if (position === undefined) return;
      this.#delivered.set(shard, Math.max(this.#delivered.get(shard) ?? 0, position.next));
      this.#trim(shard, position.next);
    });
    await Promise.all(starting);
  }

  #stop(shards: readonly number[]): void {
    // They stay until they are settled: what of them is being stored is going to be acknowledged.
    for (const shard of shards) this.#feeds.get(shard)?.close();
  }

  #trim(shard: number, next: number): void {
    const end = this.#feeds.get(shard)?.stored(next);
    if (end !== undefined) this.#trims.note(shard, end);
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
    const feeds = [...this.#feeds.values()];
    for (const feed of feeds) feed.close();
    this.#ownership.close();
    await Promise.all([this.#announcements.close(), this.#trims.close().then(() => this.#member.close())]);
    await Promise.all(feeds.map((feed) => feed.settled()));
  }

  #refuseMisuse(limits: TakeLimits): void {
    if (!(limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    if (this.#isTaking) throw new TypeError('a consumer takes one batch at a time');
  }
}

/**
 * Joins the group and starts to consume. Resolves once shards are assigned, maybe none as yet, and Redis is known to
 * hold the positions that the handler started them at. Rejects with `SOURCE_LOST_HISTORY` where it does not,
 * `GROUP_CONFLICT` for another store than the rest of the group fills, `QUEUE_UNAVAILABLE` when Redis does not answer
 * for some seconds, `QUEUE_CLOSED` once `signal` is aborted, and with what the handler throws.
 */
export async function openBullmqConsumer(
  options: BullmqConsumerOptions,
  handler: AssignmentHandler,
  signal: AbortSignal,
): Promise<BullmqConsumer> {
  const consumer = new BullmqConsumer(options, handler);
  const giveUp = (): void => void consumer.close();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal.aborted) await consumer.close();
    await consumer.open();
    return consumer;
  } catch (error) {
    await consumer.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
