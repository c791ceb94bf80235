import { join } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import type { OpenFile, SharedFileSystem } from '../../ports/file-system.ts';
import { segmentHeader, segmentHeaderBytes } from './frame.ts';

/** A file of the journal. Once nothing in it is needed any more it is written from its beginning again. */
interface Segment {
  readonly name: string;
  /** Number of the commit that its first frame holds. */
  first: number;
  /** Where the next frame goes. */
  end: number;
}

/** The parts of what a journal needs. */
export interface JournalPlace {
  readonly files: SharedFileSystem;
  readonly directory: string;
}

/**
 * Commits in the order in which they were made, each durable before it is told of. Frames go into the last segment; a
 * checkpoint begins a new one, and once everything before it is durable elsewhere, what is before it is dropped. Dropped
 * segments are written over: a sync of a file that does not grow is faster, because no metadata changes.
 */
export class Journal {
  readonly #place: JournalPlace;
  readonly #live: Segment[] = [];
  readonly #free: Segment[] = [];
  #file: OpenFile | undefined;
  #made = 0;
  #next: number;

  /** A journal without frames in an existing, empty directory, whose first commit will be `next`. */
  constructor(place: JournalPlace, next: number) {
    this.#place = place;
    this.#next = next;
  }

  /** The number of the next commit. */
  get next(): number {
    return this.#next;
  }

  /** Bytes of all frames that were not dropped. */
  get bytes(): number {
    return this.#live.reduce((sum, { end }) => sum + end - segmentHeaderBytes, 0);
  }

  /** Writes the sealed frame of commit {@link next}, and resolves once it is durable. */
  async append(frame: Uint8Array): Promise<void> {
    const segment = this.#live.at(-1) ?? (await this.#begin());
    if (this.#file === undefined) throw new TypeError('the journal was closed');
    await this.#file.write(frame, segment.end);
    await syncOrFail(this.#file);
    segment.end += frame.length;
    this.#next += 1;
  }

  /** The next frame begins a new segment. */
  async rotate(): Promise<void> {
    if (this.#live.length === 0) return;
    await this.#begin();
  }

  /** Nothing before commit `first`, with which a segment begins, is needed any more. */
  drop(first: number): void {
    while (this.#live.length > 1 && (this.#live[0]?.first ?? first) < first) {
      const dropped = this.#live.shift();
      if (dropped !== undefined) this.#free.push(dropped);
    }
  }

  /** Removes all of it, when nothing in it is needed any more. The journal is closed then. */
  async remove(): Promise<void> {
    await this.close();
    for (const { name } of [...this.#live, ...this.#free]) await this.#place.files.removeAll(this.#path(name));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #begin(): Promise<Segment> {
    const { files, directory } = this.#place;
    await this.#file?.close();
    this.#file = undefined;
    const free = this.#free.pop();
    const segment: Segment = free ?? { name: `${this.#made}`, first: 0, end: 0 };
    segment.first = this.#next;
    segment.end = segmentHeaderBytes;
    this.#live.push(segment);
    this.#file = await files.open(this.#path(segment.name), free === undefined ? 'create' : 'write');
    await this.#file.write(segmentHeader(segment.first), 0);
    if (free === undefined) {
      this.#made += 1;
      await files.syncDirectory(directory);
    }
    return segment;
  }

  #path(name: string): string {
    return join(this.#place.directory, name);
  }
}

/** What a failed sync leaves behind nobody knows, whatever it failed with: it is never tried again. */
async function syncOrFail(file: OpenFile): Promise<void> {
  try {
    await file.datasync();
  } catch (cause) {
    throw new PersistenceError('STORE_IO_FAILED', `the journal could not be synced: ${String(cause)}`, { cause });
  }
}
