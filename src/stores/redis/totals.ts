import { PersistenceError } from '../../domain/errors.ts';
import { type DeadLetterReason, deadLetterReasons, type SessionChange } from '../../domain/plan.ts';
import { countCursor, countFiled, emptyTotals, type RunningTotals, totalCounts } from '../../domain/totals.ts';

/** The names under which totals are stored, in a fixed order. */
export const totalNames: readonly string[] = [
  ...totalCounts,
  ...deadLetterReasons.map((reason) => deadLetterTotal(reason)),
];

/** The name under which dead letters of this reason are counted. */
export function deadLetterTotal(reason: DeadLetterReason): string {
  return `dead letters: ${reason}`;
}

/** What the changes add to totals, name and number; those that stay as they are left out. */
export function addedTotals(changes: readonly SessionChange[]): readonly (readonly [name: string, added: number])[] {
  const totals = emptyTotals();
  for (const { before, after, filed } of changes) {
    if (before !== undefined) countCursor(totals, before, -1);
    countCursor(totals, after, 1);
    for (const record of filed) countFiled(totals, record);
  }
  const named = [
    ...totalCounts.map((name) => [name, totals[name]] as const),
    ...deadLetterReasons.map((reason) => [deadLetterTotal(reason), totals.deadLetters[reason]] as const),
  ];
  return named.filter(([, added]) => added !== 0);
}

/** Adds a bucket's totals, as they are stored in the order of {@link totalNames}. Throws `STORE_CORRUPT`. */
export function addStoredTotals(totals: RunningTotals, stored: readonly (string | undefined)[]): void {
  totalCounts.forEach((name, index) => {
    totals[name] += countOf(name, stored[index]);
  });
  deadLetterReasons.forEach((reason, index) => {
    totals.deadLetters[reason] += countOf(reason, stored[totalCounts.length + index]);
  });
}

function countOf(name: string, text: string | undefined): number {
  const count = Number(text ?? '0');
  if (text !== '' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new PersistenceError('STORE_CORRUPT', `the stored total ${name} cannot be read back: ${JSON.stringify(text)}`);
}
