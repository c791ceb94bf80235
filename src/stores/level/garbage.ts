import { readRecord } from '../../domain/encoding/byte-reader.ts';
import { ByteWriter } from '../../domain/encoding/byte-writer.ts';

const formatVersion = 1;

/** The value of a garbage marker: how many entries, from ordinal 0, the dead generation has. */
export function encodeGarbage(entries: number): Uint8Array {
  const out = new ByteWriter(10);
  out.byte(formatVersion);
  out.varint(entries);
  return out.finish();
}

/** The number of entries that {@link encodeGarbage} wrote. Throws `STORE_CORRUPT`. */
export function decodeGarbage(bytes: Uint8Array): number {
  return readRecord('garbage marker', formatVersion, bytes, (reader) => reader.varint());
}
