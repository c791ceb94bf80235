import { createHash, timingSafeEqual } from 'node:crypto';

/** What a token allows. Each stands alone; only `admin` allows everything. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** A token that is known, by its SHA-256 only. */
export interface KnownToken {
  readonly name: string;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  readonly scopes: readonly Scope[];
}

/** SHA-256 of a token: 32 bytes. */
export function tokenDigest(token: string): Uint8Array {
  return createHash('sha256').update(token, 'utf8').digest();
}

/**
 * The token of `known` that was sent. All are compared, each in constant time and by digests of equal length, so that
 * nothing is learned from how long it takes.
 */
export function findToken(known: readonly KnownToken[], sent: string): KnownToken | undefined {
  const digest = tokenDigest(sent);
  let found: KnownToken | undefined;
  for (const token of known) if (timingSafeEqual(token.digest, digest)) found = token;
  return found;
}
