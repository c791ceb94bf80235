import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  type Command,
  claimType,
  commandId,
  numberedTypes,
  type SkipDecision,
  skipType,
} from '../../domain/command.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../domain/identifiers.ts';

/**
 * One command as the journal keeps it. All integers are big-endian.
 *
 *     u32 bytes of the body          u32 CRC-32 of the body, seeded with the queue's salt
 *     body: u32 bytes between the start of the group it was written with and this record
 *           u48 append time (ms since 1970)
 *           u16 partition   u48 offset                                        (from here on under the record digest)
 *           u8 type   u8 flags   u64 epoch   u64 sequence   u16 bytes of session   u16 bytes of writer
 *           session, writer; id, time and traceparent where the flags say so, each a u32 and its bytes; the data
 *           (only a skip has an id of its own: all others follow from session, epoch and sequence)
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

const prefixBytes = 8;
const bodyAt = {
  group: 0,
  time: 4,
  partition: 10,
  offset: 12,
  type: 18,
  flags: 19,
  epoch: 20,
  sequence: 28,
  session: 36,
  writer: 38,
};
const fixedBodyBytes = 40;
const flag = { id: 1, time: 2, traceparent: 4 } as const;
const types = [...numberedTypes, claimType, skipType] as const;
const typeNumbers = new Map<string, number>(types.map((type, index) => [type, index]));
const skipNumber = types.length - 1;
const claimNumber = types.length - 2;
const twoTo32 = 2 ** 32;

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
 * it ends. `target` must have {@link recordRoom} bytes left.
 */
export function writeRecord(
  target: Buffer,
  at: number,
  command: Command,
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
  target[body + bodyAt.type] = typeNumbers.get(command.type) ?? types.length;
  writeNumber(target, command.kind === 'skip' ? 0 : command.epoch, body + bodyAt.epoch);
  writeNumber(target, command.kind === 'numbered' ? command.sequence : 0, body + bodyAt.sequence);

  const sessionBytes = target.write(command.session, body + fixedBodyBytes, 'utf8');
  target.writeUInt16BE(sessionBytes, body + bodyAt.session);
  let end = body + fixedBodyBytes + sessionBytes;
  const writerBytes = target.write(command.kind === 'skip' ? command.source : command.writer, end, 'utf8');
  target.writeUInt16BE(writerBytes, body + bodyAt.writer);
  end += writerBytes;

  let flags = 0;
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
  target.writeUInt32BE(crc32(target.subarray(body, end), salt), at + 4);
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
  return crc32(bytes.subarray(at + prefixBytes, end), salt) === bytes.readUInt32BE(at + 4)
    ? { kind: 'record', end }
    : damaged;
}

export function recordPartition(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + prefixBytes + bodyAt.partition);
}

export function recordOffset(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + prefixBytes + bodyAt.offset, 6);
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

/** The command of a record. Its data lies in the record's bytes, it is no copy. */
export function readCommand(frame: RecordFrame): Command {
  const { bytes, start, end } = frame;
  const body = start + prefixBytes;
  const typeNumber = bytes[body + bodyAt.type] ?? types.length;
  const flags = bytes[body + bodyAt.flags] ?? 0;
  const epoch = readNumber(bytes, body + bodyAt.epoch) as Epoch;
  const sessionEnd = body + fixedBodyBytes + bytes.readUInt16BE(body + bodyAt.session);
  let at = sessionEnd + bytes.readUInt16BE(body + bodyAt.writer);
  const session = bytes.toString('utf8', body + fixedBodyBytes, sessionEnd) as SessionId;
  const writer = bytes.toString('latin1', sessionEnd, at) as Writer;

  const text = (): string => {
    const from = at + 4;
    at = from + bytes.readUInt32BE(at);
    return bytes.toString('utf8', from, at);
  };
  const id = (flags & flag.id) === 0 ? '' : text();
  const time = (flags & flag.time) === 0 ? undefined : text();
  const traceparent = (flags & flag.traceparent) === 0 ? undefined : text();

  if (typeNumber === claimNumber) {
    const claimId = commandId(session, epoch, 'claim');
    return { kind: 'claim', type: claimType, session, writer, epoch, id: claimId, time, traceparent };
  }
  const data = bytes.subarray(at, end);
  if (typeNumber === skipNumber) {
    const decision = readDecision(data);
    return {
      kind: 'skip',
      type: skipType,
      session,
      source: writer,
      decision,
      id,
      time,
      traceparent,
      data,
    };
  }
  const sequence = readNumber(bytes, body + bodyAt.sequence) as Sequence;
  const type = numberedTypes[typeNumber];
  if (type === undefined) throw new RangeError(`type number ${typeNumber} is not known`);
  const numberedId = commandId(session, epoch, sequence);
  return { kind: 'numbered', type, session, writer, epoch, sequence, id: numberedId, time, traceparent, data };
}

function readDecision(data: Buffer): SkipDecision {
  const { sequence, epoch, by, reason } = JSON.parse(data.toString('utf8')) as SkipDecision;
  return { sequence, epoch, by, reason };
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

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * twoTo32 + bytes.readUInt32BE(at + 4);
}
