import { bytesDigest, digestHex } from './digest.ts';
import type { SourceId } from './plan.ts';

/*
 * A store that was filled with some sessions of a source only notes its positions under a name of their own, so that
 * every store can tell, and whoever knows the source takes it for one that was never consumed.
 */

const prefix = 'part:';
const nameLength = 16;

/** The source under which a store notes how far it has consumed `part`, a description of it, of `source`. */
export function partialSource(source: SourceId, part: string): SourceId {
  const name = digestHex(bytesDigest(Buffer.from(part, 'utf8'))).slice(0, nameLength);
  return `${prefix}${name}:${source}` as SourceId;
}

/** What the sources share that the same part was taken of; undefined for one that is no part. */
export function partOf(source: SourceId): string | undefined {
  return source.startsWith(prefix) ? source.slice(prefix.length, prefix.length + nameLength) : undefined;
}

/** What a source is a part of, or undefined where it is no part. */
export function wholeOf(source: SourceId): SourceId | undefined {
  return source.startsWith(prefix) ? (source.slice(prefix.length + nameLength + 1) as SourceId) : undefined;
}
