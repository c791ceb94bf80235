import type { Digest } from '../../../domain/digest.ts';
import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { RecordReader } from '../../../segments/record-reader.ts';
import { readSegments, wholeEnds } from '../../../segments/recovery.ts';
import { noRecord } from '../../../segments/segment.ts';
import { Segments } from '../../../segments/segments.ts';
import type { ReadJob, ShardPlace } from '../job-delivery.ts';
import type { HistoryPage, PageLimits, ShardHistory } from '../shard-reader.ts';
import { type ArchivePlace, archiveFailure, isMissing, shardDirectory } from './archive-place.ts';
import { decodeJob, jobRecords } from './job-records.ts';

/** Bytes that are read at a time. */
const chunkBytes = 1024 * 1024;
/** Times that files are looked at again because somebody changed them meanwhile: retention, or whoever cut a torn tail. */
const mostLooks = 3;

/** A reading of the segments as they were when it was begun. */
interface Reading {
  readonly held: Omit<HistoryPage, 'jobs'>;
  readonly reader: RecordReader;
  /** What stands before this offset was whole then. */
  readonly until: number;
  /** The offset behind what was read. */
  next: number;
}

/** Reads what is archived of a shard, changing nothing, also while somebody appends to it. */
export class ArchivedShard implements ShardHistory, AsyncDisposable {
  readonly #place: ArchivePlace;
  readonly #shard: number;
  readonly directory: string;
  #reading: Reading | undefined;

  constructor(place: ArchivePlace, shard: number) {
    this.#place = place;
    this.#shard = shard;
    this.directory = shardDirectory(place, shard);
  }

  /** Bytes of its segments. */
  async bytes(): Promise<number> {
    return await this.#looking(async (segments) => (segments.isEmpty ? 0 : segments.totalBytes));
  }

  /** The first offset held; undefined where nothing was ever archived. */
  async start(): Promise<number | undefined> {
    return await this.#looking(async (segments) => (segments.isEmpty ? undefined : this.#heldBy(segments).start));
  }

  /** The offset behind what is whole, and the first one; undefined where nothing was ever archived. */
  async bounds(place: ShardPlace): Promise<PartitionBounds | undefined> {
    const { fileSystem } = this.#place;
    return await this.#looking(async (segments) => {
      if (segments.isEmpty) return undefined;
      const ends = await wholeEnds({ fileSystem, records: jobRecords(place) }, segments);
      return { start: this.#heldBy(segments).start, end: ends[this.#shard] ?? 0 };
    });
  }

  async page(offset: number, end: number, most: PageLimits): Promise<HistoryPage | undefined> {
    const { held, next, until } = this.#reading ?? {};
    if (held !== undefined && next === offset && offset < (until ?? 0)) {
      // What stops it may be that files went meanwhile: then they are looked at anew.
      const jobs = await this.#read(offset, most).catch(() => undefined);
      if (jobs !== undefined) return { ...held, jobs };
    }
    return await this.#looking((segments) => this.#begin(segments, offset, end, most));
  }

  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.reader.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(segments: Segments, offset: number, until: number, most: PageLimits): Promise<HistoryPage | undefined> {
    await this.close();
    if (segments.isEmpty) return undefined;
    const held = this.#heldBy(segments);
    const segment = segments.holding(this.#shard, offset);
    if (segment === undefined || most.jobs === 0) return { ...held, jobs: [] };
    const { salt, next } = segment.header;
    const { fileSystem } = this.#place;
    const reader = new RecordReader(fileSystem, segments, salt, segments.startOf(segment), chunkBytes);
    this.#reading = { held, reader, until, next: next[this.#shard] ?? 0 };
    return { ...held, jobs: await this.#read(offset, most) };
  }

  /** The jobs from `offset` on, of the reading that has come to it or stands before it. */
  async #read(offset: number, most: PageLimits): Promise<readonly ReadJob[]> {
    const reading = this.#reading;
    const jobs: ReadJob[] = [];
    let bytes = 0;
    while (reading !== undefined && reading.next < reading.until && jobs.length < most.jobs && bytes < most.bytes) {
      const frame = await reading.reader.next();
      if (frame === undefined) break;
      const job = decodeJob(frame);
      reading.next = job.first + job.count;
      if (reading.next <= offset) continue;
      jobs.push(job);
      bytes += job.data.length;
    }
    if (jobs.length === 0) throw this.#hole(reading?.next ?? 0, offset);
    return jobs;
  }

  /** Asks `look` what the segments say as they are now. */
  async #looking<Result>(look: (segments: Segments) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await look(await this.#segments());
      } catch (error) {
        if (attempt === mostLooks) throw archiveFailure(this.#place, 'reading', error);
      }
    }
  }

  async #segments(): Promise<Segments> {
    const { fileSystem, shards } = this.#place;
    const directory = this.directory;
    try {
      await fileSystem.list(directory);
    } catch (error) {
      if (isMissing(error)) return new Segments(directory);
      throw error;
    }
    return await readSegments({ fileSystem, directory, partitions: shards, isShared: true, onlyLooks: true });
  }

  #heldBy({ first: { header } }: Segments): Omit<HistoryPage, 'jobs'> {
    const edge: Digest | undefined = header.digests[this.#shard];
    return { start: header.next[this.#shard] ?? 0, edge: edge === noRecord ? undefined : edge };
  }

  #hole(from: number, to: number): PersistenceError {
    return new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `the archive in ${this.directory} ends at offset ${from}, and ${to} is gone from Redis: restore what is missing of ` +
        'it, or build stores from a backup that has consumed that',
    );
  }
}
