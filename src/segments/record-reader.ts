import { PersistenceError } from '../domain/errors.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { findRecord, type RecordFrame } from './frame.ts';
import type { Place, Segment, Segments } from './segments.ts';

/** What {@link RecordReader.advance} came upon. `more`: {@link RecordReader.load} has to read on first. */
export type Advance = RecordFrame | 'more' | 'damaged';

/**
 * Reads the durable records of the journal in their physical order, a large chunk at a time. Chunks are never
 * written to again: whoever keeps bytes of one may do so.
 */
export class RecordReader implements AsyncDisposable {
  readonly #fileSystem: FileSystem;
  readonly #segments: Segments;
  readonly #salt: number;
  readonly #chunkBytes: number;
  #place: Place;
  #chunk = Buffer.alloc(0);
  #at = 0;
  #needed = 0;
  #open: { readonly number: number; readonly file: OpenFile } | undefined;

  constructor(fileSystem: FileSystem, segments: Segments, salt: number, from: Place, chunkBytes: number) {
    this.#fileSystem = fileSystem;
    this.#segments = segments;
    this.#salt = salt;
    this.#place = from;
    this.#chunkBytes = chunkBytes;
  }

  /** Just behind the record read last. */
  get place(): Place {
    return this.#at === 0 ? this.#place : { segment: this.#place.segment, byte: this.#place.byte + this.#at };
  }

  /** The next record of the chunk. A `damaged` one stands at {@link place}. */
  advance(): Advance {
    if (this.#at === this.#chunk.length) return 'more';
    const start = this.#at;
    const found = findRecord(this.#chunk, start, this.#chunk.length, this.#salt);
    if (found.kind === 'record') {
      this.#at = found.end;
      return { bytes: this.#chunk, start, end: found.end };
    }
    if (found.kind === 'damaged') return 'damaged';
    this.#needed = found.needed;
    const left = (this.#segments.find(this.#place.segment)?.bytes ?? 0) - this.#place.byte - start;
    return found.needed > left ? 'damaged' : 'more';
  }

  /** The next record, reading on where needed, or undefined at the durable end as it is now. */
  async next(): Promise<RecordFrame | undefined> {
    for (;;) {
      const found = this.nextLoaded();
      if (found !== undefined) return found;
      if (!(await this.load())) return undefined;
    }
  }

  /** The next record if it is in memory already. Throws `QUEUE_CORRUPT` on a damaged one. */
  nextLoaded(): RecordFrame | undefined {
    const found = this.advance();
    if (found === 'more') return undefined;
    if (found === 'damaged') throw this.damage('a damaged record');
    return found;
  }

  /** Makes the record that was read last the next one again. */
  unread(frame: RecordFrame): void {
    this.#at = frame.start;
  }

  /** True when everything durable, as of now, has been read. */
  get isAtEnd(): boolean {
    const { segment, byte } = this.#segments.end;
    return segment === this.#place.segment && byte === this.#place.byte + this.#at;
  }

  /** Reads the next chunk. False when everything durable has been read. */
  async load(): Promise<boolean> {
    this.#settle();
    let segment = this.#held();
    while (this.#place.byte >= segment.bytes) {
      const following = this.#segments.after(segment);
      if (following === undefined) return false;
      this.#place = this.#segments.startOf(following);
      segment = following;
    }
    const left = segment.bytes - this.#place.byte;
    const chunk = Buffer.allocUnsafeSlow(Math.min(left, Math.max(this.#chunkBytes, this.#needed)));
    const read = await (await this.#file(segment)).read(chunk, this.#place.byte);
    if (read < chunk.length)
      throw this.damage(`the file ends ${chunk.length - read} bytes early, with a record cut off`);
    this.#chunk = chunk;
    this.#at = 0;
    this.#needed = 0;
    return true;
  }

  damage(what: string): PersistenceError {
    const { segment, byte } = this.place;
    return new PersistenceError(
      'QUEUE_CORRUPT',
      `${this.#segments.path(segment)} holds ${what} at byte ${byte}: restore the queue from a copy, or start a new one`,
    );
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #settle(): void {
    this.#place = this.place;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
  }

  #held(): Segment {
    const segment = this.#segments.find(this.#place.segment);
    if (segment !== undefined) return segment;
    const { first } = this.#segments;
    const { number, previousBytes } = first.header;
    if (number === this.#place.segment + 1 && previousBytes === this.#place.byte) {
      this.#place = this.#segments.startOf(first);
      return first;
    }
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `${this.#segments.path(this.#place.segment)} was removed before it was read: start again from a held position`,
    );
  }

  async #file(segment: Segment): Promise<OpenFile> {
    if (this.#open?.number === segment.header.number) return this.#open.file;
    await this.close();
    const file = await this.#fileSystem.open(segment.path, 'read');
    this.#open = { number: segment.header.number, file };
    return file;
  }
}
