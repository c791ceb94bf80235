import { hash } from 'node:crypto';
import type { Command } from '../../domain/command.ts';
import type { Digest } from '../../domain/digest.ts';
import {
  headAt,
  prefixBytes,
  type RecordFrame,
  type RecordKind,
  sealRecord,
  twoTo32,
  writeHead,
} from '../../segments/frame.ts';
import { bodyAt, fixedBodyBytes, flag, recordTypes, typeNumbers } from './record-layout.ts';

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
  writeHead(target, at, partition, offset, time);
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
  sealRecord(target, at, end, salt);
  return end;
}

/** SHA-256 over partition, offset and command of a record. */
export function recordDigest(frame: RecordFrame): Digest {
  return hash(
    'sha256',
    frame.bytes.subarray(frame.start + prefixBytes + headAt.partition, frame.end),
    'binary',
  ) as Digest;
}

/** A record of the embedded queue is one command. */
export const commandRecords: RecordKind = { offsets: () => 1, digest: recordDigest };

function writeText(target: Buffer, text: string, at: number): number {
  const written = target.write(text, at + 4, 'utf8');
  target.writeUInt32BE(written, at);
  return at + 4 + written;
}

function writeNumber(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / twoTo32), at);
  target.writeUInt32BE(value % twoTo32, at + 4);
}
