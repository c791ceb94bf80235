import type { DeadLetterReason } from './plan.ts';

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
