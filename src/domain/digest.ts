import { hash } from 'node:crypto';
import type { Brand } from './brand.ts';

/**
 * A SHA-256 digest: 32 bytes written as a latin1 string, one character a byte, so that digests compare by value
 * and take no more room than their bytes.
 */
export type Digest = Brand<string, 'Digest'>;
/** The first 8 bytes of a {@link Digest}: what a cursor remembers of a command. */
export type ShortDigest = Brand<string, 'ShortDigest'>;

export const digestBytes = 32;
export const shortDigestBytes = 8;

const separator = Buffer.from([0]);
// Used within one call only: a fresh buffer for every command is garbage that costs more than its filling.
const scratch = new Uint8Array(16 * 1024);
const typePrefixes = new Map<string, Buffer>();

/** The digest of a command: SHA-256 over its type, one 0 byte, and its data bytes (after white space is removed). */
export function commandDigest(type: string, data: Uint8Array): Digest {
  const prefix = typePrefix(type);
  const length = prefix.length + data.length;
  if (length > scratch.length) return hash('sha256', Buffer.concat([prefix, data]), 'binary') as Digest;
  scratch.set(prefix, 0);
  scratch.set(data, prefix.length);
  return hash('sha256', scratch.subarray(0, length), 'binary') as Digest;
}

/** SHA-256 over bytes that are no command, for instance a record that cannot be read. */
export function bytesDigest(...parts: readonly Uint8Array[]): Digest {
  return hash('sha256', Buffer.concat(parts), 'binary') as Digest;
}

/** What a cursor keeps of `digest`. */
export function shortDigest(digest: Digest): ShortDigest {
  return digest.slice(0, shortDigestBytes) as ShortDigest;
}

/** A digest or short digest as hexadecimal text, for people. */
export function digestHex(digest: Digest | ShortDigest): string {
  return Buffer.from(digest, 'latin1').toString('hex');
}

function typePrefix(type: string): Buffer {
  const known = typePrefixes.get(type);
  if (known !== undefined) return known;
  const prefix = Buffer.concat([Buffer.from(type, 'utf8'), separator]);
  // Unknown types come from outside: remembering each would let a sender grow the map without limit.
  if (typePrefixes.size < 32) typePrefixes.set(type, prefix);
  return prefix;
}
