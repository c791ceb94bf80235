import type { SessionId } from '../domain/identifiers.ts';

/** One of the two that are compared, in the order in which they were given. */
export type Side = 'first' | 'second';

/** What of a session is meant. `session`: all that is kept of it. */
export type Part =
  | 'session'
  | 'entry'
  | 'snapshot'
  | 'receipt'
  | 'anchor'
  | 'cursor'
  | 'parked command'
  | 'dead letter'
  | 'decision';

/**
 * How the two differ there: only one side has it, both have another one, an entry stands in the place of another, or a
 * side cannot be read.
 */
export type Relation = 'only in first' | 'only in second' | 'changed' | 'swapped' | 'unreadable';

/** One difference between two stores. */
export interface Difference {
  /** Undefined for a dead letter that belongs to no session. */
  readonly session: SessionId | undefined;
  readonly part: Part;
  /**
   * Which one of its kind: the ordinal of a log entry, counted from 0 (in the first store, where both have it), the
   * sequence of a parked command, the id of a dead letter or decision, the field of a cursor.
   */
  readonly item: number | string | undefined;
  readonly relation: Relation;
  /** What else is known of it, in a few words. */
  readonly detail: string | undefined;
}

export function onlyIn(side: Side): Relation {
  return side === 'first' ? 'only in first' : 'only in second';
}

/** The side that has one of the two; undefined where both or neither have one. */
export function onlySide(first: unknown, second: unknown): Side | undefined {
  if ((first === undefined) === (second === undefined)) return undefined;
  return first === undefined ? 'second' : 'first';
}
