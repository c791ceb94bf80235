import { type DeadLetterReason, deadLetterReasons, type Tally } from '../../../src/domain/plan.ts';
import { addTally, emptyTally } from '../../../src/domain/rule/tally.ts';
import type { Case } from './cases/case.ts';
import { deliveryOf } from './deliveries.ts';
import { factsOfStore, type SessionFacts } from './facts.ts';
import { type PlanBatch, PlanStore } from './plan-store.ts';

/** What became of a case. */
export interface CaseResult {
  /** What each batch counted as: each delivery, unless all were in one. */
  readonly counts: readonly string[];
  /** The same, summed up. */
  readonly total: Tally;
  /** How the session stood at the end. */
  readonly after: SessionFacts | undefined;
}

/** Delivers the steps of a case. */
export function runCase(
  planBatch: PlanBatch,
  { steps, session = 's' }: Case,
  batching: 'one by one' | 'in one batch' = 'one by one',
): CaseResult {
  const store = new PlanStore();
  const deliveries = steps.map(([delivery], offset) => deliveryOf(delivery, offset));
  const cuts = batching === 'one by one' ? deliveries.map((_, index) => index + 1) : [];
  const tallies = store.take(planBatch, deliveries, cuts);
  return { counts: tallies.map(countsOf), total: totalOf(tallies), after: factsOfStore(store).sessions[session] };
}

/** Several tallies as one. */
export function totalOf(tallies: readonly Tally[]): Tally {
  const total = emptyTally();
  for (const tally of tallies) addTally(total, tally);
  return total;
}

/** A tally in words: `applied 2, drained`. */
export function countsOf(tally: Tally): string {
  const counts: (readonly [string, number])[] = [
    ['applied', tally.applied],
    ['duplicate', tally.duplicates],
    ['parked', tally.parked],
    ['drained', tally.drained],
    ['claimed', tally.claimed],
    ['skipped', tally.skipped],
    ...deadLetterReasons.map((reason) => [deadLetterWord(reason), tally.deadLetters[reason]] as const),
  ];
  return counts
    .filter(([, count]) => count > 0)
    .map(([word, count]) => (count === 1 ? word : `${word} ${count}`))
    .join(', ');
}

function deadLetterWord(reason: DeadLetterReason): string {
  return reason === 'skipped' ? 'skipped dead' : reason;
}
