import type { SessionId } from './identifiers.ts';

const multiplier = 0x5bd1e995;
const seed = 0x9747b28c;

/**
 * murmur2 as Kafka's default partitioner computes it over a key's bytes (Apache Kafka, `Utils.murmur2`), so that
 * every client that partitions by key agrees with ours. An unsigned 32-bit number with the sign bit cleared.
 */
function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length & ~3;
  let h = seed ^ bytes.length;
  for (let at = 0; at < tail; at += 4) {
    let k = Math.imul(view.getInt32(at, true), multiplier);
    k ^= k >>> 24;
    h = Math.imul(h, multiplier) ^ Math.imul(k, multiplier);
  }
  const rest = bytes.length - tail;
  if (rest >= 3) h ^= (bytes[tail + 2] ?? 0) << 16;
  if (rest >= 2) h ^= (bytes[tail + 1] ?? 0) << 8;
  if (rest >= 1) {
    h ^= bytes[tail] ?? 0;
    h = Math.imul(h, multiplier);
  }
  h ^= h >>> 13;
  h = Math.imul(h, multiplier);
  h ^= h >>> 15;
  return h & 0x7fffffff;
}

/** The partition of a session: murmur2 of its id's UTF-8 bytes modulo the number of partitions. */
export function partitionOf(session: SessionId, partitions: number): number {
  return partitionOfKey(Buffer.from(session, 'utf8'), partitions);
}

/** The partition of whatever has this key. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return murmur2(key) % partitions;
}
