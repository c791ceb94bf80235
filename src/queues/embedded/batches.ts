import type { QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import { recordOffset, recordPartition, recordTime } from '../../segments/frame.ts';
import type { RecordReader } from '../../segments/record-reader.ts';
import type { Place } from '../../segments/segments.ts';
import { RecordedDelivery } from './recorded-delivery.ts';

/** Where a reading ends. */
export interface ReadingEnd {
  /** By partition the first offset not to deliver any more. */
  readonly ends: readonly number[];
  /** In milliseconds since 1970: each partition ends before its first record at or after this time. */
  readonly before?: number | undefined;
}

/**
 * Turns records into batches of deliveries, in physical order, leaving out what stands before the offset that each
 * partition starts at.
 */
export class Batches {
  readonly #reader: RecordReader;
  readonly #next: number[];
  readonly #ends: number[] | undefined;
  readonly #before: number;

  /** `next`: by partition the first offset to deliver; moved on by every batch. */
  constructor(reader: RecordReader, next: number[], end?: ReadingEnd) {
    this.#reader = reader;
    this.#next = next;
    this.#ends = end && [...end.ends];
    this.#before = end?.before ?? Infinity;
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
      if (this.#ends !== undefined && recordTime(frame.bytes, frame.start) >= this.#before) {
        this.#ends[partition] = offset;
        continue;
      }
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
