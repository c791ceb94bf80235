import { PersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Consumer, QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import type { Place } from '../../segments/segments.ts';
import { Bell } from '../bell.ts';
import type { Batches } from './batches.ts';
import type { Journal } from './journal.ts';

/** The end of a batch: consumed up to `distance` once every partition is acknowledged up to `next`. */
interface Mark {
  readonly distance: number;
  readonly next: readonly number[];
}

export interface Consumption {
  /** By partition the offsets acknowledged; the bytes of the journal that are consumed by that, where it tells. */
  acknowledged(next: readonly number[], distance: number | undefined): Promise<void>;
  /** Bytes of the journal before a place. */
  distance(place: Place): number;
  closed(): void;
}

const mostMarks = 4096;

/** Consumes all partitions: an embedded queue belongs to one process, and a process consumes it once. */
export class EmbeddedConsumer implements Consumer {
  readonly #batches: Batches;
  readonly #journal: Journal;
  readonly #consumption: Consumption;
  readonly #acknowledged: number[];
  readonly #idle = new Bell();
  #marks: Mark[] = [];
  #isTaking = false;
  #isClosed = false;

  constructor(batches: Batches, journal: Journal, consumption: Consumption) {
    this.#batches = batches;
    this.#journal = journal;
    this.#consumption = consumption;
    this.#acknowledged = [...batches.next];
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#alone(limits, async () => {
      while (!this.#isClosed && signal?.aborted !== true) {
        const deliveries = await this.#take(limits);
        if (deliveries.length > 0) return deliveries;
        if (this.#journal.failure !== undefined) throw this.#journal.failure;
        if (this.#batches.isAtEnd && !this.#isClosed) await this.#journal.whenGrown(signal);
      }
      return [];
    });
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#alone(limits, async () => (this.#isClosed ? [] : await this.#take(limits)));
  }

  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
    for (const [partition, { next }] of positions) {
      const delivered = this.#batches.next[partition];
      if (delivered === undefined || next > delivered) {
        throw new TypeError(`offset ${next} of partition ${partition} was not delivered and cannot be acknowledged`);
      }
      this.#acknowledged[partition] = Math.max(this.#acknowledged[partition] ?? 0, next);
    }
    await this.#consumption.acknowledged([...this.#acknowledged], this.#consumedDistance());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#journal.wake();
    while (this.#isTaking) await this.#idle.wait();
    await this.#batches.close();
    this.#consumption.closed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #alone<Result>(limits: TakeLimits, step: () => Promise<Result>): Promise<Result> {
    if (!(limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    if (this.#isTaking) throw new TypeError('a consumer takes one batch at a time');
    this.#isTaking = true;
    try {
      return await step();
    } finally {
      this.#isTaking = false;
      this.#idle.ring();
    }
  }

  async #take(limits: TakeLimits): Promise<QueuedDelivery[]> {
    const deliveries = await this.#batches.take(limits);
    if (deliveries.length > 0) {
      // Fewer marks only make the count of consumed bytes coarser.
      if (this.#marks.length >= mostMarks) this.#marks = this.#marks.filter((_, index) => index % 2 === 1);
      this.#marks.push({ distance: this.#consumption.distance(this.#batches.place), next: [...this.#batches.next] });
    }
    return deliveries;
  }

  #consumedDistance(): number | undefined {
    let passed: Mark | undefined;
    const isPassed = (mark: Mark): boolean =>
      mark.next.every((next, partition) => next <= (this.#acknowledged[partition] ?? 0));
    let count = 0;
    for (const mark of this.#marks) {
      if (!isPassed(mark)) break;
      passed = mark;
      count += 1;
    }
    if (count > 0) this.#marks.splice(0, count);
    return passed?.distance;
  }
}
