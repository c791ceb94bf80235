import { join } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import { type Effects, readEffects } from './effects.ts';
import { frameHeaderBytes, isWholeFrame, readFrameHeader, readSegmentHeader, segmentHeaderBytes } from './frame.ts';
import type { JournalPlace } from './journal.ts';

/** Where a whole frame stands. */
interface FramePlace {
  readonly path: string;
  readonly at: number;
  readonly bytes: number;
  readonly sequence: number;
}

/** The frames of a journal that were written since the last checkpoint. */
export interface FoundJournal {
  readonly frames: readonly FramePlace[];
  /** The number that the next commit gets. */
  readonly next: number;
}

interface FoundSegment {
  readonly path: string;
  readonly first: number;
  readonly frames: readonly FramePlace[];
}

/**
 * The frames from commit `checkpoint` on, in order; a torn one at the end, which was never told of, is left out.
 * `applied` is the last commit that is known to have been in the journal. Throws `STORE_CORRUPT` when one is missing.
 */
export async function findJournal(place: JournalPlace, checkpoint: number, applied: number): Promise<FoundJournal> {
  const segments: FoundSegment[] = [];
  for (const name of await place.files.list(place.directory)) {
    const segment = await findSegment(place, join(place.directory, name));
    if (segment !== undefined && segment.first + segment.frames.length > checkpoint) segments.push(segment);
  }
  segments.sort((one, other) => one.first - other.first);
  const frames: FramePlace[] = [];
  let next = checkpoint;
  for (const segment of segments) {
    if (segment.first > next) throw missing(place, next, segment.first);
    for (const frame of segment.frames) {
      if (frame.sequence < next) continue;
      frames.push(frame);
      next = frame.sequence + 1;
    }
  }
  if (applied >= next) throw missing(place, next, applied + 1);
  return { frames, next };
}

/** Reads a frame that {@link findJournal} found. Throws `STORE_CORRUPT`. */
export async function readFrame({ files }: JournalPlace, { path, at, bytes, sequence }: FramePlace): Promise<Effects> {
  await using file = await files.open(path, 'read');
  const frame = Buffer.allocUnsafe(bytes);
  const read = await file.read(frame, at);
  try {
    if (read === bytes && isWholeFrame(frame)) return readEffects(frame.subarray(frameHeaderBytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new PersistenceError('STORE_CORRUPT', `commit ${sequence} in ${path} cannot be read back`);
}

/**
 * Writes the last frame again and syncs it: it may be read from memory only, because its sync never ended, or failed
 * (docs/decisions/0009-power-cut-model.md).
 */
export async function settleLastFrame({ files }: JournalPlace, { frames }: FoundJournal): Promise<void> {
  const last = frames.at(-1);
  if (last === undefined) return;
  await using file = await files.open(last.path, 'write');
  const frame = Buffer.allocUnsafe(last.bytes);
  await file.read(frame, last.at);
  const header = Buffer.allocUnsafe(segmentHeaderBytes);
  await file.read(header, 0);
  await file.write(header, 0);
  await file.write(frame, last.at);
  await file.datasync();
}

async function findSegment({ files }: JournalPlace, path: string): Promise<FoundSegment | undefined> {
  await using file = await files.open(path, 'read');
  const size = await file.size();
  const segmentHeader = Buffer.alloc(segmentHeaderBytes);
  await file.read(segmentHeader, 0);
  const first = readSegmentHeader(segmentHeader);
  if (first === undefined) return undefined;
  const frames: FramePlace[] = [];
  const header = Buffer.alloc(frameHeaderBytes);
  for (let at = segmentHeaderBytes; at + frameHeaderBytes <= size; ) {
    await file.read(header, at);
    const found = readFrameHeader(header);
    const sequence = first + frames.length;
    // What follows the last frame is what the segment held before.
    if (found?.sequence !== sequence || at + frameHeaderBytes + found.length > size) break;
    const frame = Buffer.allocUnsafe(frameHeaderBytes + found.length);
    await file.read(frame, at);
    if (!isWholeFrame(frame)) break;
    frames.push({ path, at, bytes: frame.length, sequence });
    at += frame.length;
  }
  return { path, first, frames };
}

function missing({ directory }: JournalPlace, from: number, to: number): PersistenceError {
  const which = to === from + 1 ? `commit ${from}` : `commits ${from} to ${to - 1}`;
  return new PersistenceError('STORE_CORRUPT', `the journal in ${directory} has lost ${which}`);
}
