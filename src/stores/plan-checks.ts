import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type { Plan, PositionStep, SessionChange, StoredPosition } from '../domain/plan.ts';

/**
 * Throws a TypeError when `plan` contradicts itself: a session twice; a log reset that keeps its generation, or a
 * generation that rises without one; entries that do not add up. Such a plan would be stored and never read back.
 */
export function assertPlan(plan: Plan): void {
  const sessions = new Set<SessionId>();
  for (const change of plan.changes) {
    assertChange(change);
    sessions.add(change.session);
  }
  if (sessions.size !== plan.changes.length) throw new TypeError('a plan must hold one change a session');
}

function assertChange({ session, before, after, log }: SessionChange): void {
  const reset = log?.reset === true;
  const generationBefore = before?.generation ?? 0;
  if (reset ? after.generation <= generationBefore : after.generation !== generationBefore) {
    throw new TypeError(
      `the plan of ${JSON.stringify(session)} must raise the generation exactly when it resets the log`,
    );
  }
  const entries = firstOrdinal(before, reset) + (log?.entries.length ?? 0);
  if (after.entries !== entries) {
    throw new TypeError(
      `the plan of ${JSON.stringify(session)} counts ${after.entries} entries where ${entries} will be`,
    );
  }
}

/** The ordinal of the first entry that a change adds. */
export function firstOrdinal(before: Cursor | undefined, reset: boolean): number {
  return reset ? 0 : (before?.entries ?? 0);
}

/** True when both are absent, or the same offset after the same record. */
export function samePosition(one: StoredPosition | undefined, other: StoredPosition | undefined): boolean {
  return one?.next === other?.next && one?.digest === other?.digest;
}

export function positionMismatch(step: PositionStep, stored: StoredPosition | undefined): PersistenceError {
  return new PersistenceError(
    'POSITION_MISMATCH',
    `partition ${step.partition} of ${step.source} stands at ${describe(stored)}, but the commit starts at ${describe(step.from)}`,
  );
}

export function cursorMismatch(change: SessionChange, stored: number | undefined): PersistenceError {
  return new PersistenceError(
    'CURSOR_MISMATCH',
    `session ${JSON.stringify(change.session)} is at version ${stored ?? 'none'}, but the commit was decided on ${change.before?.version ?? 'none'}`,
  );
}

export function missingParked(session: SessionId, sequence: Sequence): PersistenceError {
  return new PersistenceError(
    'STORE_CORRUPT',
    `command ${sequence} of session ${JSON.stringify(session)} should be parked but is not in the store`,
  );
}

export function storeClosed(): PersistenceError {
  return new PersistenceError('STORE_CLOSED', 'the store was closed');
}

export function viewClosed(session: SessionId): PersistenceError {
  return new PersistenceError('STORE_CLOSED', `the view of session ${JSON.stringify(session)} was closed`);
}

function describe(position: StoredPosition | undefined): string {
  return position === undefined ? 'its beginning' : `offset ${position.next}`;
}
