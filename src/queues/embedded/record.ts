import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Command } from '../../domain/command.ts';
import type { Digest } from '../../domain/digest.ts';
import {
  bodyAt,
  fixedBodyBytes,
  flag,
  prefixBytes,
  type RecordFrame,
  recordTypes,
  twoTo32,
  typeNumbers,
} from './record-layout.ts';

/** Longest body that is ever written: the largest data, and more than any attributes take. */
export const maximumBodyBytes = 24 * 1024 * 1024;
/** Bytes a record has besides its attributes and data. */
export const recordOverhead = prefixBytes + fixedBodyBytes;

/** An upper bound of the bytes that {@link writeRecord} writes for `command`. */
export function recordRoom(command: Command): number {
  const text =
    command.session.length +
    command.id.length +
    (command.time?.length ?? 0) +
    (command.traceparent?.length ?? 0) +
    (command.kind === 'skip' ? command.source.length : command.writer.length);
  return recordOverhead + 12 + text * 3 + (command.kind === 'claim' ? 0 : command.data.length);
}

/**
 * Writes `command` into `target` from `at`, which is also its distance from the start of its group, and returns where
 * it ends. `target` must have {@link recordRoom} bytes left. `isPlain`: see `checkCommand`.
 */
export function writeRecord(
  target: Buffer,
  at: number,
  command: Command,
  isPlain: boolean,
  partition: number,
  offset: number,
  time: number,
  salt: number,
): number {
  const body = at + prefixBytes;
  target.writeUInt32BE(at, body + bodyAt.group);
  writeShortNumber(target, time, body + bodyAt.time);
  target.writeUInt16BE(partition, body + bodyAt.partition);
  writeShortNumber(target, offset, body + bodyAt.offset);
  target[body + bodyAt.type] = typeNumbers.get(command.type) ?? recordTypes.length;
  writeNumber(target, command.kind === 'skip' ? 0 : command.epoch, body + bodyAt.epoch);
  writeNumber(target, command.kind === 'numbered' ? command.sequence : 0, body + bodyAt.sequence);

  const sessionBytes = target.write(command.session, body + fixedBodyBytes, 'utf8');
  target.writeUInt16BE(sessionBytes, body + bodyAt.session);
  let end = body + fixedBodyBytes + sessionBytes;
  const writerBytes = target.write(command.kind === 'skip' ? command.source : command.writer, end, 'utf8');
  target.writeUInt16BE(writerBytes, body + bodyAt.writer);
  end += writerBytes;

  let flags: number = isPlain ? flag.plain : 0;
  if (command.kind === 'skip') {
    flags |= flag.id;
    end = writeText(target, command.id, end);
  }
  if (command.time !== undefined) {
    flags |= flag.time;
    end = writeText(target, command.time, end);
  }
  if (command.traceparent !== undefined) {
    flags |= flag.traceparent;
    end = writeText(target, command.traceparent, end);
  }
  target[body + bodyAt.flags] = flags;
  if (command.kind !== 'claim') {
    target.set(command.data, end);
    end += command.data.length;
  }
  target.writeUInt32BE(end - body, at);
  // The salt is secret, so that no data can be made to look like a record where a damaged journal is searched.
  target.writeUInt32BE(crc32(viewOf(target, body, end), salt), at + 4);
  return end;
}

/** What stands at a place: a whole record (its end), one whose end lies beyond `limit`, or no record at all. */
export type Found =
  | { readonly kind: 'record'; readonly end: number }
  | { readonly kind: 'short'; readonly needed: number }
  | typeof damaged;
const damaged = { kind: 'damaged' } as const;

/** Looks for a record at `at` in `bytes`, of which the first `limit` are filled. */
export function findRecord(bytes: Buffer, at: number, limit: number, salt: number): Found {
  if (limit - at < prefixBytes) return { kind: 'short', needed: prefixBytes };
  const length = bytes.readUInt32BE(at);
  if (length < fixedBodyBytes || length > maximumBodyBytes) return damaged;
  const end = at + prefixBytes + length;
  if (end > limit) return { kind: 'short', needed: prefixBytes + length };
  return crc32(viewOf(bytes, at + prefixBytes, end), salt) === bytes.readUInt32BE(at + 4)
    ? { kind: 'record', end }
    : damaged;
}

export function recordPartition(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + prefixBytes + bodyAt.partition);
}

export function recordOffset(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + prefixBytes + bodyAt.offset, 6);
}

/** When the record was appended, in milliseconds since 1970. */
export function recordTime(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + prefixBytes + bodyAt.time, 6);
}

/** Bytes between the start of the record's group and the record. */
export function recordGroupDistance(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + prefixBytes + bodyAt.group);
}

/** SHA-256 over partition, offset and command of a record. */
export function recordDigest(frame: RecordFrame): Digest {
  return hash(
    'sha256',
    frame.bytes.subarray(frame.start + prefixBytes + bodyAt.partition, frame.end),
    'binary',
  ) as Digest;
}

function writeText(target: Buffer, text: string, at: number): number {
  const written = target.write(text, at + 4, 'utf8');
  target.writeUInt32BE(written, at);
  return at + 4 + written;
}

function writeNumber(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / twoTo32), at);
  target.writeUInt32BE(value % twoTo32, at + 4);
}

function writeShortNumber(target: Buffer, value: number, at: number): void {
  target.writeUInt16BE(Math.floor(value / twoTo32), at);
  target.writeUInt32BE(value % twoTo32, at + 2);
}

/** A plain view: making a Buffer takes several times as long, and there is one a record. */
export function viewOf(bytes: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
