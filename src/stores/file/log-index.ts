import { crc32 } from 'node:zlib';
import { readRecord } from '../../domain/encoding/byte-reader.ts';
import { ByteWriter } from '../../domain/encoding/byte-writer.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { type Key, terminatedKey } from '../../embedded-store/record-keys.ts';

const kind = 0x6f;
const formatVersion = 1;
const generationBytes = 4;
const ordinalBytes = 6;
/** A chunk is read and checked as a whole. */
const chunkEntries = 1_024;
const chunkBytes = 256 * 1024;

/** Where consecutive entries of a log lie in its file, each followed by a line feed, and what their bytes sum to. */
export interface LogChunk {
  /** Of its first entry. */
  readonly ordinal: number;
  /** Bytes before it in the file. */
  readonly offset: number;
  /** CRC-32 of all its bytes, line feeds included. */
  readonly checksum: number;
  /** Bytes of each entry, without its line feed. */
  readonly lengths: readonly number[];
}

/** Gathers a log's entries into chunks. */
export class ChunkWriter {
  readonly chunks: LogChunk[] = [];
  #ordinal: number;
  #offset: number;
  #lengths: number[] = [];
  #bytes = 0;
  #checksum = 0;

  /** The first entry will have this `ordinal`, and lie at this `offset`. */
  constructor(ordinal: number, offset: number) {
    this.#ordinal = ordinal;
    this.#offset = offset;
  }

  /** Takes the next entry. */
  add(entry: Uint8Array): void {
    if (this.#lengths.length === chunkEntries || (this.#bytes > 0 && this.#bytes + entry.length > chunkBytes)) {
      this.finish();
    }
    this.#lengths.push(entry.length);
    this.#bytes += entry.length + 1;
    this.#checksum = crc32(lineFeed, crc32(entry, this.#checksum));
  }

  /** All chunks, the last one ended. */
  finish(): readonly LogChunk[] {
    if (this.#lengths.length > 0) {
      const lengths = this.#lengths;
      this.chunks.push({ ordinal: this.#ordinal, offset: this.#offset, checksum: this.#checksum, lengths });
      this.#ordinal += lengths.length;
      this.#offset += this.#bytes;
      this.#lengths = [];
      this.#bytes = 0;
      this.#checksum = 0;
    }
    return this.chunks;
  }
}

const lineFeed = Buffer.of(0x0a);

/** How many bytes of the file a chunk takes. */
export function sizeOf({ lengths }: LogChunk): number {
  return lengths.reduce((sum, length) => sum + length + 1, 0);
}

/** The key of the chunk that begins with `ordinal` in the log of this generation. */
export function chunkKey(session: SessionId, generation: number, ordinal: number): Key {
  const key = terminatedKey(kind, session, generationBytes + ordinalBytes);
  key.writeUInt32BE(generation, key.length - ordinalBytes - generationBytes);
  key.writeUIntBE(ordinal, key.length - ordinalBytes, ordinalBytes);
  return key;
}

/** From before the first to behind the last key of a session's chunks, of all generations before `generation`. */
export function earlierChunks(session: SessionId, generation: number): { readonly gte: Key; readonly lt: Key } {
  return { gte: chunkKey(session, 0, 0), lt: chunkKey(session, generation, 0) };
}

export function encodeChunk({ offset, checksum, lengths }: LogChunk): Uint8Array {
  const out = new ByteWriter(16 + 2 * lengths.length);
  out.byte(formatVersion);
  out.varint(offset);
  out.varint(checksum);
  out.varint(lengths.length);
  for (const length of lengths) out.varint(length);
  return out.finish();
}

/** What {@link encodeChunk} wrote under `key`. Throws `STORE_CORRUPT`. */
export function decodeChunk(key: Key, bytes: Uint8Array): LogChunk {
  const ordinal = Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUIntBE(
    key.length - ordinalBytes,
    ordinalBytes,
  );
  return readRecord('place in a log', formatVersion, bytes, (reader) => ({
    ordinal,
    offset: reader.varint(),
    checksum: reader.varint(),
    lengths: reader.list(() => reader.varint()),
  }));
}
