import type { QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import { recordOffset, recordPartition } from './record.ts';
import type { RecordReader } from './record-reader.ts';
import { RecordedDelivery } from './recorded-delivery.ts';
import type { Place } from './segments.ts';

/**
 * Turns records into batches of deliveries, in physical order, leaving out what stands before the offset that each
 * partition starts at.
 */
export class Batches {
  readonly #reader: RecordReader;
  readonly #next: number[];
  readonly #ends: readonly number[] | undefined;

  /**
   * `next`: by partition the first offset to deliver; moved on by every batch. `ends`: by partition the first offset
   * not to deliver any more; without it there is no end.
   */
  constructor(reader: RecordReader, next: number[], ends?: readonly number[]) {
    this.#reader = reader;
    this.#next = next;
    this.#ends = ends;
  }

  /** True once every partition was delivered up to its end. */
  get isDone(): boolean {
    return this.#ends?.every((end, partition) => (this.#next[partition] ?? 0) >= end) ?? false;
  }

  /** By partition the offset after the last one delivered. */
  get next(): readonly number[] {
    return this.#next;
  }

  /** The next batch within the limits, with at least one delivery unless everything durable has been delivered. */
  async take(limits: TakeLimits): Promise<QueuedDelivery[]> {
    const deliveries: QueuedDelivery[] = [];
    let bytes = 0;
    while (deliveries.length < limits.deliveries && !(this.#ends !== undefined && this.isDone)) {
      const frame = this.#reader.nextLoaded();
      if (frame === undefined) {
        if (await this.#reader.load()) continue;
        break;
      }
      const partition = recordPartition(frame.bytes, frame.start);
      const offset = recordOffset(frame.bytes, frame.start);
      if (offset < (this.#next[partition] ?? 0) || offset >= (this.#ends?.[partition] ?? Infinity)) continue;
      bytes += frame.end - frame.start;
      if (bytes > limits.bytes && deliveries.length > 0) {
        this.#reader.unread(frame);
        break;
      }
      this.#next[partition] = offset + 1;
      deliveries.push(new RecordedDelivery(frame, { partition, offset }));
    }
    return deliveries;
  }

  /** How far the journal has been read. */
  get place(): Place {
    return this.#reader.place;
  }

  /** True when everything durable, as of now, has been read. */
  get isAtEnd(): boolean {
    return this.#reader.isAtEnd;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
