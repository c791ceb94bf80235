import type { Digest } from '../../domain/digest.ts';
import type { Message } from '../../domain/message.ts';
import type { PartitionBounds, QueuedDelivery, TakeLimits } from '../../ports/queue.ts';
import { MemoryRecord } from './memory-record.ts';

/** Reads the log from `index` on; a record counts for a reader between the `next` and `ends` of its partition. */
export interface MemoryReader {
  index: number;
  readonly next: number[];
  readonly ends?: number[];
  /** In milliseconds since 1970: each partition ends before its first record at or after this time. */
  readonly before?: number | undefined;
}

/** All records of all partitions in the order of their arrival. */
export class MemoryLog {
  #records: MemoryRecord[] = [];
  #removed = 0;
  readonly #starts: number[];
  readonly #ends: number[];
  /** Digest of the last record removed from each partition. */
  readonly #edges: (Digest | undefined)[] = [];

  constructor(partitions: number) {
    this.#starts = Array.from({ length: partitions }, () => 0);
    this.#ends = [...this.#starts];
  }

  get ends(): readonly number[] {
    return this.#ends;
  }

  get totalBytes(): number {
    return this.#records.reduce((sum, record) => sum + record.bytes, 0);
  }

  get oldest(): MemoryRecord | undefined {
    return this.#records[0];
  }

  append(partition: number, time: number, message: Message): MemoryRecord {
    const offset = this.#ends[partition] ?? 0;
    const record = new MemoryRecord({ partition, offset }, time, message);
    this.#ends[partition] = offset + 1;
    this.#records.push(record);
    return record;
  }

  removeOldest(): void {
    const removed = this.#records.shift();
    if (removed === undefined) return;
    this.#removed += 1;
    this.#starts[removed.position.partition] = removed.position.offset + 1;
    this.#edges[removed.position.partition] = removed.digest();
  }

  bounds(partition: number): PartitionBounds {
    return { start: this.#starts[partition] ?? 0, end: this.#ends[partition] ?? 0 };
  }

  /** Digest of the record before `next`, or undefined when it is not known any more, or not yet. */
  digestBefore(partition: number, next: number): Digest | undefined {
    if (next > 0 && next === this.#starts[partition]) return this.#edges[partition];
    const record = this.#records.find(
      ({ position }) => position.partition === partition && position.offset === next - 1,
    );
    return record?.digest();
  }

  /** Bytes of the records from the given offsets on. */
  bytesFrom(next: readonly number[]): number {
    return this.#records.reduce(
      (sum, { position, bytes }) => (position.offset >= (next[position.partition] ?? 0) ? sum + bytes : sum),
      0,
    );
  }

  take(reader: MemoryReader, limits: TakeLimits): QueuedDelivery[] {
    const deliveries: QueuedDelivery[] = [];
    let bytes = 0;
    reader.index = Math.max(reader.index, this.#removed);
    for (; deliveries.length < limits.deliveries; reader.index += 1) {
      const record = this.#records[reader.index - this.#removed];
      if (record === undefined) break;
      const { partition, offset } = record.position;
      if (offset < (reader.next[partition] ?? 0) || offset >= (reader.ends?.[partition] ?? Number.POSITIVE_INFINITY))
        continue;
      if (reader.ends !== undefined && record.time >= (reader.before ?? Number.POSITIVE_INFINITY)) {
        reader.ends[partition] = offset;
        continue;
      }
      bytes += record.bytes;
      if (bytes > limits.bytes && deliveries.length > 0) break;
      reader.next[partition] = offset + 1;
      deliveries.push(record.delivery());
    }
    return deliveries;
  }
}
