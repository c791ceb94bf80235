import { type DeadLetterReason, deadLetterReasons, type Tally } from '../plan.ts';

/** A tally that is still being counted. */
export type RunningTally = { -readonly [Key in Exclude<keyof Tally, 'deadLetters'>]: number } & {
  readonly deadLetters: Record<DeadLetterReason, number>;
};

const counts = ['applied', 'duplicates', 'parked', 'drained', 'claimed', 'skipped'] as const;

/** A tally of nothing yet. */
export function emptyTally(): RunningTally {
  const deadLetters = Object.fromEntries(deadLetterReasons.map((reason) => [reason, 0]));
  return {
    applied: 0,
    duplicates: 0,
    parked: 0,
    drained: 0,
    claimed: 0,
    skipped: 0,
    deadLetters: deadLetters as Record<DeadLetterReason, number>,
  };
}

/** Adds `more` to `total`. */
export function addTally(total: RunningTally, more: Tally): void {
  for (const count of counts) total[count] += more[count];
  for (const reason of deadLetterReasons) total.deadLetters[reason] += more.deadLetters[reason];
}

/** Dead letters of every reason together. */
export function deadLetterCount(tally: Tally): number {
  return deadLetterReasons.reduce((sum, reason) => sum + tally.deadLetters[reason], 0);
}
