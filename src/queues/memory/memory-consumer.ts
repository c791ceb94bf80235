import { PersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Consumer, QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import type { Bell } from '../bell.ts';
import type { MemoryLog, MemoryReader } from './memory-log.ts';

export interface MemoryConsumption {
  acknowledged(next: readonly number[]): void;
  closed(): void;
}

/** Consumes all partitions of a memory queue. */
export class MemoryConsumer implements Consumer {
  readonly #log: MemoryLog;
  readonly #reader: MemoryReader;
  readonly #arrived: Bell;
  readonly #consumption: MemoryConsumption;
  readonly #acknowledged: number[];
  #isTaking = false;
  #isClosed = false;

  constructor(log: MemoryLog, next: readonly number[], arrived: Bell, consumption: MemoryConsumption) {
    this.#log = log;
    this.#reader = { index: 0, next: [...next] };
    this.#acknowledged = [...next];
    this.#arrived = arrived;
    this.#consumption = consumption;
  }

  async take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    this.#refuseMisuse(limits);
    this.#isTaking = true;
    try {
      while (!this.#isClosed && signal?.aborted !== true) {
        const deliveries = this.#log.take(this.#reader, limits);
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
    return this.#isClosed ? [] : this.#log.take(this.#reader, limits);
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
    this.#arrived.ring();
    this.#consumption.closed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuseMisuse(limits: TakeLimits): void {
    if (!(limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    if (this.#isTaking) throw new TypeError('a consumer takes one batch at a time');
  }
}
