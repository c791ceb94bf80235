import { canonicalJson } from '../domain/documents/canonical.ts';
import { JsonSyntaxError } from '../domain/documents/json-reader.ts';

/**
 * True for two JSON documents of the same canonical form; that is made only where their bytes differ. What is no JSON
 * equals the very same bytes only. `sortedMember`: see `canonicalJson`.
 */
export function sameDocument(one: Uint8Array, other: Uint8Array, sortedMember?: string): boolean {
  if (Buffer.compare(one, other) === 0) return true;
  try {
    return canonicalJson(one, sortedMember) === canonicalJson(other, sortedMember);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return false;
  }
}
