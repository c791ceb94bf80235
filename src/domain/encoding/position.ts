import type { Position } from '../delivery.ts';
import { type Digest, digestBytes } from '../digest.ts';
import type { StoredPosition } from '../plan.ts';
import { type ByteReader, readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const formatVersion = 1;
const mostBytes = 48;

/** A stored position as bytes: format version; next offset; the digest of the record before it. */
export function encodeStoredPosition(position: StoredPosition): Uint8Array {
  const out = new ByteWriter(mostBytes);
  out.byte(formatVersion);
  out.varint(position.next);
  out.binary(position.digest);
  return out.finish();
}

/** The position that {@link encodeStoredPosition} wrote. Throws `STORE_CORRUPT`. */
export function decodeStoredPosition(bytes: Uint8Array): StoredPosition {
  return readRecord('position', formatVersion, bytes, (reader) => ({
    next: reader.varint(),
    digest: reader.binary(digestBytes) as Digest,
  }));
}

/** A position as part of another record: partition, offset. */
export function writePosition(out: ByteWriter, position: Position): void {
  out.varint(position.partition);
  out.varint(position.offset);
}

export function readPosition(reader: ByteReader): Position {
  return { partition: reader.varint(), offset: reader.varint() };
}
