import type { Cursor } from './cursor.ts';
import { type DeadLetterReason, deadLetterReasons, type FiledRecord, type Plan } from './plan.ts';

/** What a store holds, counted: kept up to date with every commit, so that nobody has to scan for it. */
export interface StoreTotals {
  /** Sessions that exist. */
  readonly sessions: number;
  /** Sessions that take nothing until a claim, because of a conflict. */
  readonly halted: number;
  /** Sessions whose next number was refused and stays open. */
  readonly refused: number;
  /** Sessions for which commands are parked. */
  readonly waiting: number;
  readonly parkedCommands: number;
  /** Bytes of data of the parked commands. */
  readonly parkedBytes: number;
  readonly deadLetters: Readonly<Record<DeadLetterReason, number>>;
  readonly decisions: number;
}

/** Every total that is one number, in the order in which they are stored. */
export const totalCounts = [
  'sessions',
  'halted',
  'refused',
  'waiting',
  'parkedCommands',
  'parkedBytes',
  'decisions',
] as const;

/** Totals that are still being counted. */
export type RunningTotals = { -readonly [Key in Exclude<keyof StoreTotals, 'deadLetters'>]: number } & {
  readonly deadLetters: Record<DeadLetterReason, number>;
};

/** The totals of a store with nothing in it. */
export function emptyTotals(): RunningTotals {
  return {
    sessions: 0,
    halted: 0,
    refused: 0,
    waiting: 0,
    parkedCommands: 0,
    parkedBytes: 0,
    deadLetters: { refused: 0, fenced: 0, unclaimed: 0, conflict: 0, skipped: 0, overflow: 0, 'stale decision': 0 },
    decisions: 0,
  };
}

/**
 * The totals of a store that held `totals` once `plan` is committed; the same object when nothing of them changed.
 * Exact for a plan whose `before` cursors are the stored ones, and that files nothing for a session that is filed
 * already: to the rule that is a duplicate. No cursor tells of dead letters without a session: `areFiled` says, in
 * their order, which of the plan's the store holds already.
 */
export function addPlan(totals: StoreTotals, plan: Plan, areFiled: readonly boolean[]): StoreTotals {
  const counted: RunningTotals = { ...totals, deadLetters: { ...totals.deadLetters } };
  for (const { before, after, filed } of plan.changes) {
    if (before !== undefined) countCursor(counted, before, -1);
    countCursor(counted, after, 1);
    for (const record of filed) countFiled(counted, record);
  }
  plan.unreadable.forEach((letter, index) => {
    if (areFiled[index] !== true) countFiled(counted, letter);
  });
  return isSame(counted, totals) ? totals : counted;
}

/** Adds what a session's cursor tells of it; with -1, takes it away. */
export function countCursor(totals: RunningTotals, cursor: Cursor, by: 1 | -1): void {
  if (cursor.presence === 'known') totals.sessions += by;
  if (cursor.halted) totals.halted += by;
  if (cursor.refused) totals.refused += by;
  if (cursor.parkedCommands > 0) totals.waiting += by;
  totals.parkedCommands += by * cursor.parkedCommands;
  totals.parkedBytes += by * cursor.parkedBytes;
}

/** Adds a dead letter or decision. */
export function countFiled(totals: RunningTotals, record: FiledRecord): void {
  if (record.kind === 'decision') totals.decisions += 1;
  else totals.deadLetters[record.reason] += 1;
}

function isSame(one: StoreTotals, other: StoreTotals): boolean {
  return (
    totalCounts.every((count) => one[count] === other[count]) &&
    deadLetterReasons.every((reason) => one.deadLetters[reason] === other.deadLetters[reason])
  );
}
