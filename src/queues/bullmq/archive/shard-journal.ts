import { crc32 } from 'node:zlib';
import type { Digest } from '../../../domain/digest.ts';
import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { readSegments, recover } from '../../../segments/recovery.ts';
import { oldestMayGo, type RetentionLimits, removeOldest } from '../../../segments/retention.ts';
import { noRecord } from '../../../segments/segment.ts';
import {
  beginSegments,
  type JournalState,
  type SegmentPlace,
  SegmentWriter,
} from '../../../segments/segment-writer.ts';
import type { ReadJob, ShardPlace } from '../job-delivery.ts';
import { type ArchivePlace, archiveFailure, shardDirectory } from './archive-place.ts';
import { encodeJobs, jobRecords } from './job-records.ts';

export interface ShardJournalParts {
  readonly archive: ArchivePlace;
  /** Names the archive: a UUID. */
  readonly id: string;
  readonly place: ShardPlace;
  readonly retention: RetentionLimits;
  /** Length at which a segment file ends and the next begins. */
  readonly segmentBytes: number;
  readonly clock: Clock;
  /** A fresh random UUID at every call. */
  readonly newId: () => string;
}

/** Where a journal that is not there yet begins: the next offset, and the digest of the record before it. */
export interface JournalBeginning {
  readonly next: number;
  readonly digest: Digest | undefined;
}

/**
 * The segment files of one shard, written by whoever archives it. Another worker may still write to the file that it had
 * begun: whoever comes goes on in a file of its own, which says where the one before it ends, and cuts nothing off.
 */
export class ShardJournal {
  readonly #parts: ShardJournalParts;
  readonly #place: SegmentPlace;
  readonly #state: JournalState;
  readonly #writer: SegmentWriter;
  #end: number;

  private constructor(parts: ShardJournalParts, place: SegmentPlace, state: JournalState, writer: SegmentWriter) {
    this.#parts = parts;
    this.#place = place;
    this.#state = state;
    this.#writer = writer;
    this.#end = state.next[parts.place.shard] ?? 0;
  }

  /** Goes on behind what is whole; begins where `beginning` says when there is nothing. */
  static async open(parts: ShardJournalParts, beginning: () => JournalBeginning): Promise<ShardJournal> {
    const { archive, id, place: shard, segmentBytes, clock, newId } = parts;
    const { fileSystem, shards } = archive;
    const directory = shardDirectory(archive, shard.shard);
    await fileSystem.makeDirectory(directory);
    const place = { fileSystem, clock, directory, records: jobRecords(shard), isShared: true };
    const segments = await readSegments({ ...place, partitions: shards, onlyLooks: false });
    if (segments.isEmpty) {
      const { next, digest } = beginning();
      const salt = crc32(newId());
      const each = Array.from({ length: shards }, (_, index) => index === shard.shard);
      await beginSegments(place, segments, {
        queue: id,
        salt,
        next: each.map((isThis) => (isThis ? next : 0)),
        digests: each.map((isThis) => (isThis && digest) || noRecord),
      });
    }
    if (segments.first.header.queue !== id) {
      throw new PersistenceError('INVALID_CONFIGURATION', `the segments in ${directory} are those of another archive`);
    }
    await fileSystem.syncDirectory(directory);
    const { state, file } = await recover(place, segments);
    const syncFailed = (what: string, cause: unknown): PersistenceError => archiveFailure(archive, what, cause);
    return new ShardJournal(parts, place, state, new SegmentWriter(place, segmentBytes, state, file, syncFailed));
  }

  /** The offset behind what is durable. */
  get end(): number {
    return this.#end;
  }

  /** Digest of the record before the end. */
  lastDigest(): Promise<Digest> {
    return this.#writer.lastDigest(this.#parts.place.shard);
  }

  /** Appends jobs, which begin at the end, durably. Once it has failed the journal has to be opened anew. */
  async append(jobs: readonly ReadJob[]): Promise<void> {
    let group: ReadJob[] = [];
    let bytes = 0;
    for (const job of jobs) {
      if (group.length > 0 && bytes + job.data.length > this.#parts.segmentBytes) {
        await this.#write(group);
        group = [];
        bytes = 0;
      }
      group.push(job);
      bytes += job.data.length;
    }
    await this.#write(group);
  }

  async #write(jobs: readonly ReadJob[]): Promise<void> {
    const { archive, place, clock } = this.#parts;
    const { segments, salt, next } = this.#state;
    const last = jobs.at(-1);
    if (last === undefined) return;
    const group = encodeJobs(jobs, place.shard, clock.now(), salt);
    try {
      await this.#writer.write(
        group.bytes,
        next.map((_, shard) => (shard === place.shard ? this.#end : 0)),
      );
    } catch (error) {
      throw archiveFailure(archive, 'writing to', error);
    }
    try {
      await this.#writer.sync();
    } catch (error) {
      throw new PersistenceError('QUEUE_IO_FAILED', `syncing the archive in ${archive.directory} failed`, {
        cause: error,
      });
    }
    const start = segments.last.bytes;
    this.#writer.lastRecordAt.set(place.shard, start + group.lastAt);
    segments.grow(start + group.bytes.length);
    this.#end = last.first + last.count;
  }

  /** Removes old segments of which the store has everything: it has what stands before `stored`. */
  async retain(stored: number): Promise<void> {
    const { archive, place, retention, clock } = this.#parts;
    const { segments, next } = this.#state;
    const consumed = next.map((_, shard) => (shard === place.shard ? stored : 0));
    try {
      while (oldestMayGo(segments, retention, consumed, clock.now())) await removeOldest(this.#place, segments);
    } catch (error) {
      throw archiveFailure(archive, 'removing old segments of', error);
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
