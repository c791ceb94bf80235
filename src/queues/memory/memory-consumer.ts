import { PersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Consumer, QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import type { Bell } from '../bell.ts';
import { Takes } from '../takes.ts';
import type { MemoryLog, MemoryReader } from './memory-log.ts';

export interface MemoryConsumption {
  acknowledged(next: readonly number[]): void;
  closed(): void;
}

/** Consumes all partitions of a memory queue. */
export class MemoryConsumer implements Consumer {
  readonly #reader: MemoryReader;
  readonly #takes: Takes;
  readonly #consumption: MemoryConsumption;
  readonly #acknowledged: number[];
  #isClosed = false;

  constructor(log: MemoryLog, next: readonly number[], arrived: Bell, consumption: MemoryConsumption) {
    this.#reader = { index: 0, next: [...next] };
    this.#acknowledged = [...next];
    this.#takes = new Takes(arrived, (limits) => log.take(this.#reader, limits));
    this.#consumption = consumption;
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#takes.take(limits, signal);
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#takes.takeNow(limits);
  }

  async acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    if (this.#isClosed) throw new PersistenceError('QUEUE_CLOSED', 'the consumer was closed');
    for (const [partition, { next }] of positions) {
      const delivered = this.#reader.next[partition];
      if (delivered === undefined || next > delivered) {
        throw new TypeError(`offset ${next} of partition ${partition} was not delivered and cannot be acknowledged`);
      }
      this.#acknowledged[partition] = Math.max(this.#acknowledged[partition] ?? 0, next);
    }
    this.#consumption.acknowledged([...this.#acknowledged]);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#takes.end();
    this.#consumption.closed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
