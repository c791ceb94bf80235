import { join } from 'node:path';
import { PersistenceError } from '../domain/errors.ts';
import { type SegmentHeader, segmentHeaderBytes, segmentName } from './segment.ts';

/** A place in the journal: a segment and a byte in its file. */
export interface Place {
  readonly segment: number;
  readonly byte: number;
}

/** One held segment. `base` counts the bytes of all segments held before it, so that places can be subtracted. */
export interface Segment {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly base: number;
  /** Durable length in bytes. */
  readonly bytes: number;
}

/** The held segments, oldest first, and how far the last one is durable. Never empty once opened. */
export class Segments {
  readonly #directory: string;
  readonly #held: Segment[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  get first(): Segment {
    return this.#at(0);
  }

  get last(): Segment {
    return this.#at(this.#held.length - 1);
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  path(number: number): string {
    return join(this.#directory, segmentName(number));
  }

  add(header: SegmentHeader, bytes: number): void {
    const base = this.isEmpty ? 0 : this.last.base + this.last.bytes;
    this.#held.push({ header, path: this.path(header.number), base, bytes });
  }

  /** The last segment is durable up to `bytes`. */
  grow(bytes: number): void {
    this.#held[this.#held.length - 1] = { ...this.last, bytes };
  }

  removeFirst(): void {
    this.#held.shift();
  }

  find(number: number): Segment | undefined {
    return this.isEmpty ? undefined : this.#held[number - this.first.header.number];
  }

  /** The segment after the given one. */
  after(segment: Segment): Segment | undefined {
    return this.find(segment.header.number + 1);
  }

  /** The latest segment at whose start the partition stood at or before `offset`, or undefined if none is held. */
  holding(partition: number, offset: number): Segment | undefined {
    return this.#held.findLast((segment) => (segment.header.next[partition] ?? 0) <= offset);
  }

  /** Where the records of a segment start. */
  startOf(segment: Segment): Place {
    return { segment: segment.header.number, byte: segmentHeaderBytes(segment.header.next.length) };
  }

  /** Just behind the last durable record. */
  get end(): Place {
    return { segment: this.last.header.number, byte: this.last.bytes };
  }

  /** Bytes between the oldest byte ever held by this instance and the place; places of removed segments count as 0. */
  distance(place: Place): number {
    const segment = this.find(place.segment);
    return segment === undefined ? 0 : segment.base + place.byte;
  }

  /** Bytes of all held segments. */
  get totalBytes(): number {
    return this.last.base + this.last.bytes - this.first.base;
  }

  #at(index: number): Segment {
    const segment = this.#held[index];
    if (segment === undefined) throw new PersistenceError('QUEUE_CORRUPT', `${this.#directory} holds no segment`);
    return segment;
  }
}
