import type { SessionId } from '../domain/identifiers.ts';
import type { Part } from './difference.ts';

/**
 * What is wrong with a store in itself. `hole`: something that belongs there is missing. `double`: something stands
 * twice. `conflict`: two things cannot both be right. `damaged`: something is not what it has to be. `miscounted`: what
 * is kept as a number is not the number of what is there.
 */
export type FindingKind = 'hole' | 'double' | 'conflict' | 'damaged' | 'miscounted';

export interface Finding {
  readonly kind: FindingKind;
  /** Undefined for what belongs to no session. */
  readonly session: SessionId | undefined;
  readonly part: Part | 'store';
  /** Which one of its kind, as in a `Difference`. */
  readonly item: number | string | undefined;
  /** A sentence without its subject: "was applied as number 7". */
  readonly detail: string;
}

export type SessionFinding = Omit<Finding, 'session'>;
