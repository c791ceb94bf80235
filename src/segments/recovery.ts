import { PersistenceError } from '../domain/errors.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { findRecord, recordGroupDistance, recordOffset, recordPartition } from './frame.ts';
import { RecordReader } from './record-reader.ts';
import { decodeSegmentHeader, type SegmentHeader, segmentHeaderBytes, segmentNumber } from './segment.ts';
import type { JournalState, SegmentPlace } from './segment-writer.ts';
import { Segments } from './segments.ts';

const scanChunkBytes = 1024 * 1024;
const headerReadBytes = 64 * 1024;

/** Which segments are read. */
export interface SegmentsToRead {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly partitions: number;
  /**
   * Whether other processes may write here as well. What one of them wrote behind the end that its successor found
   * counts for nothing.
   */
  readonly isShared: boolean;
  /** Whether only to look: a beginning that was cut short stays. */
  readonly onlyLooks: boolean;
}

/** The held segments of the directory, or none when the first one was never begun. */
export async function readSegments(reading: SegmentsToRead): Promise<Segments> {
  const { fileSystem, directory, partitions, isShared, onlyLooks } = reading;
  const segments = new Segments(directory);
  const numbers = (await fileSystem.list(directory)).map(segmentNumber).filter((number) => number !== undefined);
  numbers.sort((left, right) => left - right);
  for (const number of numbers) {
    const isLast = number === numbers.at(-1);
    const found = await readHeader(fileSystem, segments.path(number));
    if (found.header === undefined) {
      // A segment is used only once its header is durable. A last one without is a beginning that was cut short.
      if (isLast && found.size <= segmentHeaderBytes(partitions)) {
        if (onlyLooks) continue;
        await fileSystem.remove(segments.path(number));
        await fileSystem.syncDirectory(directory);
        continue;
      }
      throw corrupt(segments.path(number), 'its header cannot be read');
    }
    const { previousBytes } = found.header;
    if (isShared && !segments.isEmpty && segments.last.bytes > previousBytes) segments.grow(previousBytes);
    checkSequel(segments, found.header, number);
    segments.add(found.header, found.size);
  }
  return segments;
}

/**
 * Makes the last segment whole again: cuts off what a crash left half written, and makes what is left durable before
 * any of it is delivered or its offsets are reused. The last group may only be in the page cache, and if its sync
 * failed, the system holds it for written and would not write it again: so it is written anew, in place, and synced.
 */
export async function recover(
  { fileSystem, records, isShared }: Pick<SegmentPlace, 'fileSystem' | 'records' | 'isShared'>,
  segments: Segments,
): Promise<{ state: JournalState; file: OpenFile }> {
  const { header, path } = segments.last;
  const file = await fileSystem.open(path, 'write');
  try {
    const next = [...header.next];
    const lastRecordAt = new Map<number, number>();
    const { end, lastGroupAt } = await scan({ fileSystem, records }, segments, next, lastRecordAt);
    const size = segments.last.bytes;
    if (end < size) {
      await refuseDamage(file, segments, end, size, next);
      // Where somebody else may have gone on from there by now, the next segment says how much of this one counts.
      if (!isShared) await file.truncate(end);
    }
    await writeAgain(file, lastGroupAt, end);
    await file.datasync();
    segments.grow(end);
    return { state: { segments, salt: header.salt, next, lastRecordAt }, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The offset behind what is whole of each partition, changing nothing. Throws `QUEUE_CORRUPT` where something durable is
 * damaged.
 */
export async function wholeEnds(
  { fileSystem, records }: Pick<SegmentPlace, 'fileSystem' | 'records'>,
  segments: Segments,
): Promise<readonly number[]> {
  const { header, path, bytes } = segments.last;
  const next = [...header.next];
  const { end } = await scan({ fileSystem, records }, segments, next, new Map());
  await using file = await fileSystem.open(path, 'read');
  if (end < bytes) await refuseDamage(file, segments, end, bytes, next);
  return next;
}

/**
 * Reads the last segment up to the first thing that is not the next record. Returns where that stands, and where the
 * last group begins, or the header where there is none.
 */
async function scan(
  { fileSystem, records }: Pick<SegmentPlace, 'fileSystem' | 'records'>,
  segments: Segments,
  next: number[],
  lastRecordAt: Map<number, number>,
): Promise<{ end: number; lastGroupAt: number }> {
  let lastGroupAt = 0;
  const from = segments.startOf(segments.last);
  await using reader = new RecordReader(fileSystem, segments, segments.last.header.salt, from, scanChunkBytes);
  for (;;) {
    const at = reader.place.byte;
    const found = reader.advance();
    if (found === 'damaged') return { end: at, lastGroupAt };
    if (found === 'more') {
      if (await reader.load()) continue;
      return { end: at, lastGroupAt };
    }
    const partition = recordPartition(found.bytes, found.start);
    if (recordOffset(found.bytes, found.start) !== next[partition]) return { end: at, lastGroupAt };
    next[partition] += records.offsets(found);
    lastRecordAt.set(partition, at);
    lastGroupAt = at - recordGroupDistance(found.bytes, found.start);
  }
}

/**
 * Writes what stands between two bytes over itself. A sync that failed before leaves its pages readable but clean, so
 * that no later sync writes them. That can only be the last group, since none is begun before the one before it was
 * synced, or the header (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
async function writeAgain(file: OpenFile, from: number, to: number): Promise<void> {
  const chunk = Buffer.alloc(Math.min(to - from, scanChunkBytes));
  for (let at = from; at < to; at += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, to - at));
    await file.read(part, at);
    await file.write(part, at);
  }
}

/**
 * Throws `QUEUE_CORRUPT` when a readable record behind `cut` belongs to a group that began behind it too: a group is
 * begun only after the one before it was synced, so what stands at `cut` was durable, and is damaged, not torn.
 */
async function refuseDamage(
  file: OpenFile,
  segments: Segments,
  cut: number,
  size: number,
  next: readonly number[],
): Promise<void> {
  const tail = Buffer.alloc(size - cut);
  const filled = await file.read(tail, cut);
  const { header, path } = segments.last;
  for (let at = 1; at < filled; at += 1) {
    if (!mayBeRecord(tail, at, filled, next)) continue;
    const found = findRecord(tail, at, filled, header.salt);
    if (found.kind === 'record' && recordGroupDistance(tail, at) < at) {
      throw corrupt(path, `the record at byte ${cut} is damaged, though a later one at byte ${cut + at} is whole`);
    }
  }
}

/** A cheap look before the checksum is computed over bytes that may be anything. */
function mayBeRecord(bytes: Buffer, at: number, filled: number, next: readonly number[]): boolean {
  if (at + 26 > filled) return false;
  const offset = next[recordPartition(bytes, at)];
  return offset !== undefined && recordOffset(bytes, at) >= offset && recordOffset(bytes, at) - offset < filled;
}

async function readHeader(
  fileSystem: FileSystem,
  path: string,
): Promise<{ header: SegmentHeader | undefined; size: number }> {
  await using file = await fileSystem.open(path, 'read');
  const size = await file.size();
  const bytes = Buffer.alloc(Math.min(size, headerReadBytes));
  await file.read(bytes, 0);
  return { header: decodeSegmentHeader(bytes), size };
}

function checkSequel(segments: Segments, header: SegmentHeader, number: number): void {
  const path = segments.path(number);
  if (header.number !== number) throw corrupt(path, `it says it is number ${header.number}`);
  if (segments.isEmpty) return;
  const before = segments.last;
  if (header.number !== before.header.number + 1) throw corrupt(path, 'the segment before it is missing');
  if (header.queue !== before.header.queue) throw corrupt(path, 'it belongs to another queue');
  if (header.previousBytes !== before.bytes) {
    throw corrupt(before.path, `it has ${before.bytes} bytes, but had ${header.previousBytes} when the next was begun`);
  }
}

function corrupt(path: string, what: string): PersistenceError {
  return new PersistenceError('QUEUE_CORRUPT', `${path}: ${what}; restore the queue from a copy, or start a new one`);
}
