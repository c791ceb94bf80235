import type { DocumentKind } from './keys.ts';
import { type Refused, refused } from './operations.ts';
import type { Standing } from './standing.ts';

/**
 * What became of a write, as far as its answer may tell. Written: it is acknowledged. Refused: it certainly is not
 * durable, and never will be. Open: it may be durable, or become so.
 */
export type WriteOutcome = Written | Refused | { readonly kind: 'open'; readonly because: string };

export interface Written {
  readonly kind: 'written';
  /** How the session stood before. */
  readonly before: Standing;
  /** What a deletion removed. */
  readonly removed?: ReadonlySet<DocumentKind> | undefined;
}

/** Nothing was sent, because its time was over before that. */
export function notSent(): Refused {
  return refused('nothing was written: the time for it was over before its turn came');
}
