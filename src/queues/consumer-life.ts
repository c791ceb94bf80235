import type { EventEmitter } from 'node:events';
import { PersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { QueuedDelivery, QueueEvents, TakeLimits } from '../ports/queue.ts';
import { Bell } from './bell.ts';
import { Outage } from './outage.ts';
import { Takes } from './takes.ts';

export interface ConsumerLifeParts {
  readonly clock: Clock;
  readonly events: EventEmitter<QueueEvents>;
  /** Begins to join the group. */
  readonly join: () => void;
  /** What is there now; none while others may work on the partitions. */
  readonly next: (limits: TakeLimits) => readonly QueuedDelivery[];
  /** Leaves the group, settling nothing. Called once. */
  readonly leave: () => Promise<void>;
}

/**
 * The life of a consumer in a group that shares partitions out among its members:
 *
 *     joining --> open --> ended       closed, or failed for a reason that no retry mends
 *        |                   ^
 *        +-------------------+
 */
export class ConsumerLife {
  readonly outage: Outage;
  readonly #parts: ConsumerLifeParts;
  readonly #takes: Takes;
  readonly #arrived = new Bell();
  readonly #changed = new Bell();
  /** By partition the offset behind the last that was ever delivered. */
  readonly #delivered = new Map<number, number>();
  #isOpen = false;
  #isClosed = false;
  #failure: PersistenceError | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: ConsumerLifeParts) {
    this.#parts = parts;
    this.#takes = new Takes(this.#arrived, (limits) => this.#next(limits));
    const { clock, events } = parts;
    this.outage = new Outage(clock, {
      unavailable: (error) => (this.#isOpen ? events.emit('unavailable', error) : this.fail(error)),
      // What is not asked any more does not answer either.
      available: (milliseconds) => this.#isClosed || events.emit('available', milliseconds),
    });
  }

  /** Resolves once the first partitions are assigned and verified, rejects once that cannot be any more. */
  async open(): Promise<void> {
    if (!this.#isClosed) this.#parts.join();
    while (!this.#isOpen && !this.#isClosed && this.#failure === undefined) await this.#changed.wait();
    if (this.#failure !== undefined) throw this.#failure;
    this.#refuseClosed();
  }

  /** The first partitions are assigned and verified, or further ones. */
  opened(): void {
    this.#isOpen = true;
    this.#changed.ring();
  }

  /** Something can be taken, or may be taken now. */
  arrived(): void {
    this.#arrived.ring();
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#takes.take(limits, signal);
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#takes.takeNow(limits);
  }

  /** What stands before the position counts as delivered. */
  startedAt(partition: number, { next }: Pick<StoredPosition, 'next'>): void {
    this.#delivered.set(partition, Math.max(this.#delivered.get(partition) ?? 0, next));
  }

  /** Throws a TypeError for a position behind what was delivered, `QUEUE_CLOSED` once it is closed. */
  refuseUndelivered(positions: ReadonlyMap<number, StoredPosition>): void {
    this.#refuseClosed();
    for (const [partition, { next }] of positions) {
      if (next <= (this.#delivered.get(partition) ?? -1)) continue;
      throw new TypeError(`offset ${next} of partition ${partition} was not delivered and cannot be acknowledged`);
    }
  }

  /** Ends for a reason that no retry mends: whoever takes is told it. */
  fail(error: PersistenceError): void {
    this.#failure ??= error;
    this.#changed.ring();
    this.#arrived.ring();
    void this.#end();
  }

  /** Leaves at once. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#changed.ring();
    this.#takes.end();
    await this.#end();
  }

  #next(limits: TakeLimits): readonly QueuedDelivery[] {
    if (this.#failure !== undefined) throw this.#failure;
    const deliveries = this.#parts.next(limits);
    for (const { position } of deliveries) this.#delivered.set(position.partition, position.offset + 1);
    return deliveries;
  }

  #end(): Promise<void> {
    this.#ending ??= this.#parts.leave();
    return this.#ending;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
  }
}
