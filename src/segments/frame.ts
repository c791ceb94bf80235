import { crc32 } from 'node:zlib';
import type { Digest } from '../domain/digest.ts';

/**
 * One record of a segment file. All integers are big-endian.
 *
 *     u32 bytes of the body          u32 CRC-32 of the body, seeded with the salt of the segments
 *     body: u32 bytes between the start of the group it was written with and this record
 *           u48 append time (ms since 1970)
 *           u16 partition   u48 offset
 *           whatever the record is about
 *
 * A group starts only after the one before it was synced. So whatever stands before the group of a readable record
 * was durable once, which tells a torn tail from damage.
 */
export interface RecordFrame {
  readonly bytes: Buffer;
  /** Where the record starts in `bytes`, and where it ends. */
  readonly start: number;
  readonly end: number;
}

/** What those who keep segments know of their records. */
export interface RecordKind {
  /** How many offsets a record takes, from its own on. */
  offsets(frame: RecordFrame): number;
  /** Digest of what stands at the last of them. */
  digest(frame: RecordFrame): Digest;
}

export const prefixBytes = 8;
/** Where in the body each part of its head stands. */
export const headAt = { group: 0, time: 4, partition: 10, offset: 12 } as const;
export const headBytes = 18;
/** No body is longer. */
const mostBodyBytes = 2 ** 30;
export const twoTo32 = 2 ** 32;

/**
 * Writes the head of a record that starts at `at` in `target`, which is also its distance from the start of its group.
 * `time`: when it is appended, in milliseconds since 1970.
 */
export function writeHead(target: Buffer, at: number, partition: number, offset: number, time: number): void {
  const body = at + prefixBytes;
  target.writeUInt32BE(at, body + headAt.group);
  writeShortNumber(target, time, body + headAt.time);
  target.writeUInt16BE(partition, body + headAt.partition);
  writeShortNumber(target, offset, body + headAt.offset);
}

/** Writes length and checksum of a record whose body is there, up to `end`. */
export function sealRecord(target: Buffer, at: number, end: number, salt: number): void {
  const body = at + prefixBytes;
  target.writeUInt32BE(end - body, at);
  // The salt is secret, so that no data can be made to look like a record where a damaged journal is searched.
  target.writeUInt32BE(crc32(viewOf(target, body, end), salt), at + 4);
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
  if (length < headBytes || length > mostBodyBytes) return damaged;
  const end = at + prefixBytes + length;
  if (end > limit) return { kind: 'short', needed: prefixBytes + length };
  return crc32(viewOf(bytes, at + prefixBytes, end), salt) === bytes.readUInt32BE(at + 4)
    ? { kind: 'record', end }
    : damaged;
}

export function recordPartition(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + prefixBytes + headAt.partition);
}

export function recordOffset(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + prefixBytes + headAt.offset, 6);
}

/** When the record was appended, in milliseconds since 1970. */
export function recordTime(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + prefixBytes + headAt.time, 6);
}

/** Bytes between the start of the record's group and the record. */
export function recordGroupDistance(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + prefixBytes + headAt.group);
}

/** A plain view: making a Buffer takes several times as long, and there is one a record. */
export function viewOf(bytes: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

function writeShortNumber(target: Buffer, value: number, at: number): void {
  target.writeUInt16BE(Math.floor(value / twoTo32), at);
  target.writeUInt32BE(value % twoTo32, at + 2);
}
