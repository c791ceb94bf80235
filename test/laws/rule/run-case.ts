import { type DeadLetterReason, deadLetterReasons, type Tally } from '../../../src/domain/plan.ts';
import type { Case } from './cases/case.ts';
import { deliveryOf } from './deliveries.ts';
import { factsOfStore, type SessionFacts } from './facts.ts';
import { type PlanBatch, PlanStore } from './plan-store.ts';

/** What became of a case: what each delivery counted as, and how the session stood at the end. */
export interface CaseResult {
  readonly counts: readonly string[];
  readonly after: SessionFacts | undefined;
}

/** Delivers the steps of a case one at a time. */
export function runCase(planBatch: PlanBatch, { steps, session = 's' }: Case): CaseResult {
  const store = new PlanStore();
  const counts = steps.map(([delivery], offset) =>
    store
      .take(planBatch, [deliveryOf(delivery, offset)])
      .map(countsOf)
      .join(' and '),
  );
  return { counts, after: factsOfStore(store).sessions[session] };
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
