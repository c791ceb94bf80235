import { crc32 } from 'node:zlib';
import type { Digest } from '../domain/digest.ts';
import { PersistenceError } from '../domain/errors.ts';

/** What stands before the first record of a partition: nothing. */
export const noRecord = '\0'.repeat(32) as Digest;

/**
 * The head of a segment file. It says where each partition stood when the segment was begun, so that offsets and
 * stored positions can be told without the segments before it, which retention may have removed.
 */
export interface SegmentHeader {
  /** UUID of the queue. */
  readonly queue: string;
  /** Seed of the records' checksums: random, one for the whole queue. */
  readonly salt: number;
  readonly number: number;
  /** When it was begun, in ms since 1970: no record before it is younger. */
  readonly begunAt: number;
  /** Length in bytes of the segment before it; 0 for the first. */
  readonly previousBytes: number;
  /** The offset that the next record of each partition gets. */
  readonly next: readonly number[];
  /** Digest of the last record of each partition before this segment, or {@link noRecord}. */
  readonly digests: readonly Digest[];
}

const magic = 0x4d505153; // "MPQS"
const formatVersion = 1;
const fixedBytes = 56;
const partitionBytes = 40;
const checksumBytes = 4;
const twoTo32 = 2 ** 32;

export function segmentHeaderBytes(partitions: number): number {
  return fixedBytes + partitions * partitionBytes + checksumBytes;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.segment`;
}

/** The number in a segment's file name, or undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
  return /^[0-9]{10}\.segment$/.test(name) ? Number(name.slice(0, 10)) : undefined;
}

/**
 * Layout, big-endian: u32 magic, u16 format version, u16 partitions, 16 bytes queue UUID, u32 salt, u64 number,
 * u64 begun at, u64 bytes of the segment before, u32 zero; a partition u64 next offset and 32 bytes digest;
 * u32 CRC-32 of all that.
 */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes(header.next.length));
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt16BE(formatVersion, 4);
  bytes.writeUInt16BE(header.next.length, 6);
  bytes.set(Buffer.from(header.queue.replaceAll('-', ''), 'hex'), 8);
  bytes.writeUInt32BE(header.salt, 24);
  writeNumber(bytes, header.number, 28);
  writeNumber(bytes, header.begunAt, 36);
  writeNumber(bytes, header.previousBytes, 44);
  header.next.forEach((next, partition) => {
    const at = fixedBytes + partition * partitionBytes;
    writeNumber(bytes, next, at);
    bytes.write(header.digests[partition] ?? noRecord, at + 8, 32, 'latin1');
  });
  bytes.writeUInt32BE(crc32(bytes.subarray(0, bytes.length - checksumBytes)), bytes.length - checksumBytes);
  return bytes;
}

/**
 * The header at the start of `bytes`, or undefined where none can be read. Throws `QUEUE_TOO_NEW` for a format
 * version that this code does not know.
 */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < fixedBytes || bytes.readUInt32BE(0) !== magic) return undefined;
  const version = bytes.readUInt16BE(4);
  const partitions = bytes.readUInt16BE(6);
  const length = segmentHeaderBytes(partitions);
  if (bytes.length < length) return undefined;
  if (crc32(bytes.subarray(0, length - checksumBytes)) !== bytes.readUInt32BE(length - checksumBytes)) return undefined;
  if (version !== formatVersion) {
    throw new PersistenceError(
      'QUEUE_TOO_NEW',
      `a segment has format version ${version}, this release reads ${formatVersion}: use the release that wrote it`,
    );
  }
  const next: number[] = [];
  const digests: Digest[] = [];
  for (let at = fixedBytes; at < length - checksumBytes; at += partitionBytes) {
    next.push(readNumber(bytes, at));
    digests.push(bytes.toString('latin1', at + 8, at + partitionBytes) as Digest);
  }
  return {
    queue: uuid(bytes.toString('hex', 8, 24)),
    salt: bytes.readUInt32BE(24),
    number: readNumber(bytes, 28),
    begunAt: readNumber(bytes, 36),
    previousBytes: readNumber(bytes, 44),
    next,
    digests,
  };
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function writeNumber(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / twoTo32), at);
  target.writeUInt32BE(value % twoTo32, at + 4);
}

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * twoTo32 + bytes.readUInt32BE(at + 4);
}
