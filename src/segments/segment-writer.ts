import type { Digest } from '../domain/digest.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { findRecord, prefixBytes, type RecordFrame, type RecordKind } from './frame.ts';
import { encodeSegmentHeader, noRecord, type SegmentHeader, segmentHeaderBytes } from './segment.ts';
import type { Segments } from './segments.ts';

/** Where a journal's files are, what is in them, and what they are written with. */
export interface SegmentPlace {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly directory: string;
  readonly records: RecordKind;
  /**
   * Whether other processes may write here as well: then whoever comes begins a segment of its own, and overwrites none.
   */
  readonly isShared: boolean;
}

/** What opening found, and what the journal goes on from. */
export interface JournalState {
  readonly segments: Segments;
  readonly salt: number;
  /** The offset the next record of each partition gets. */
  readonly next: readonly number[];
  /** Byte in the last segment of the last record of each partition that has one there. */
  readonly lastRecordAt: ReadonlyMap<number, number>;
}

/** Makes the error of a failed sync, after which it is not known what the disk holds. */
export type SyncFailed = (what: string, cause: unknown) => PersistenceError;

/** Writes at the durable end of the last segment, and begins the next one where it would become too long. */
export class SegmentWriter {
  readonly #place: SegmentPlace;
  readonly #segmentBytes: number;
  readonly #segments: Segments;
  readonly #salt: number;
  readonly #syncFailed: SyncFailed;
  #file: OpenFile;
  #mustRoll: boolean;
  /** Byte in the last segment of the last record of each partition that has one there. */
  lastRecordAt: Map<number, number>;

  constructor(place: SegmentPlace, segmentBytes: number, state: JournalState, file: OpenFile, syncFailed: SyncFailed) {
    this.#place = place;
    this.#segmentBytes = segmentBytes;
    this.#segments = state.segments;
    this.#salt = state.salt;
    this.#syncFailed = syncFailed;
    this.#file = file;
    this.#mustRoll = place.isShared;
    this.lastRecordAt = new Map(state.lastRecordAt);
  }

  /** Writes a group behind the durable end, where the partitions stand at `ends`. */
  async write(group: Buffer, ends: readonly number[]): Promise<void> {
    const { bytes, header } = this.#segments.last;
    const isUnused = bytes === segmentHeaderBytes(header.next.length);
    if (this.#mustRoll || (!isUnused && bytes + group.length > this.#segmentBytes)) await this.#roll(ends);
    await this.#file.write(group, this.#segments.last.bytes);
  }

  /** Digest of the last record of a partition, or {@link noRecord}. */
  async lastDigest(partition: number): Promise<Digest> {
    const at = this.lastRecordAt.get(partition);
    if (at === undefined) return this.#segments.last.header.digests[partition] ?? noRecord;
    return this.#place.records.digest(await readRecordAt(this.#file, at, this.#salt));
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  /** Removes what was written behind the durable end; synced, because a power cut could otherwise bring it back. */
  async cutBack(): Promise<void> {
    await this.#file.truncate(this.#segments.last.bytes);
    await this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #roll(ends: readonly number[]): Promise<void> {
    // A begun file with the next number may be left from here on: nothing more goes into this one.
    this.#mustRoll = true;
    const header = await this.#headerOfNext(ends);
    const file = await createSegment(this.#place, this.#segments, header, this.#syncFailed);
    const full = this.#file;
    this.#file = file;
    this.#segments.add(header, segmentHeaderBytes(ends.length));
    this.lastRecordAt = new Map();
    this.#mustRoll = false;
    await full.close();
  }

  async #headerOfNext(ends: readonly number[]): Promise<SegmentHeader> {
    const { bytes, header } = this.#segments.last;
    const digests: Digest[] = [];
    for (const partition of header.digests.keys()) digests.push(await this.lastDigest(partition));
    const begunAt = this.#place.clock.now();
    return { ...header, number: header.number + 1, begunAt, previousBytes: bytes, next: ends, digests };
  }
}

/** Reads a record that is there, in memory of its own. */
async function readRecordAt(file: OpenFile, at: number, salt: number): Promise<RecordFrame> {
  const prefix = Buffer.alloc(prefixBytes);
  await file.read(prefix, at);
  const record = Buffer.alloc(prefixBytes + prefix.readUInt32BE(0));
  const read = await file.read(record, at);
  const found = findRecord(record, 0, read, salt);
  if (found.kind === 'record') return { bytes: record, start: 0, end: found.end };
  throw new PersistenceError('QUEUE_CORRUPT', `a record at byte ${at} cannot be read back`);
}

/** Begins the first segment of a journal. */
export async function beginSegments(
  place: SegmentPlace,
  segments: Segments,
  start: Pick<SegmentHeader, 'queue' | 'salt' | 'next' | 'digests'>,
): Promise<void> {
  const header = { ...start, number: 1, begunAt: place.clock.now(), previousBytes: 0 };
  const syncFailed = (what: string, cause: unknown): PersistenceError =>
    new PersistenceError('QUEUE_IO_FAILED', `${what} failed in ${place.directory}`, { cause });
  const file = await createSegment(place, segments, header, syncFailed);
  await file.close();
  segments.add(header, segmentHeaderBytes(start.next.length));
}

/**
 * Creates a segment file that survives a power cut. A failed write leaves at most an unused file, which the next
 * attempt overwrites; where others may have begun it, it fails with `EEXIST`.
 */
async function createSegment(
  { fileSystem, directory, isShared }: Pick<SegmentPlace, 'fileSystem' | 'directory' | 'isShared'>,
  segments: Segments,
  header: SegmentHeader,
  syncFailed: SyncFailed,
): Promise<OpenFile> {
  const file = await fileSystem.open(segments.path(header.number), isShared ? 'new' : 'create');
  try {
    await file.write(encodeSegmentHeader(header), 0);
    try {
      await file.datasync();
      await fileSystem.syncDirectory(directory);
    } catch (error) {
      throw syncFailed('syncing a new segment', error);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
