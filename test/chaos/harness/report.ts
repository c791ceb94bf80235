import { countOf, type Verdict } from '../checker/check.ts';
import type { Counts } from './counts.ts';

export interface Report {
  readonly verdict: Verdict;
  readonly counts: Counts;
  /** Batches that each worker committed once nothing was disturbed any more. */
  readonly batches: readonly number[];
  readonly rebalances: number;
  readonly seconds: number;
}

/** What a run amounts to, for people. */
export function reportText(title: string, { verdict, counts, batches, rebalances, seconds }: Report): string {
  const { kills, inFlight, hangs, restarts, redelivered, outrun, duplicates, refused } = counts;
  const wrong = (['lost', 'doubled', 'reordered', 'foreign'] as const).map((one) => `${one} ${countOf(verdict, one)}`);
  return [
    `${title}: ${verdict.commands} commands over ${verdict.sessions} sessions in ${seconds} s`,
    `  kills: ${Object.entries(kills)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')}; in flight at each at least ${Math.min(...inFlight)}`,
    `  hangs ${hangs}, workers replaced in order ${restarts}, rebalances ${rebalances}`,
    `  batches of each worker, undisturbed at last: ${batches.join(', ')}`,
    `  redelivered to workers ${redelivered}, batches that another worker had committed ${outrun}`,
    `  records ${verdict.records}: sent again ${verdict.repeated} (seen by workers ${duplicates}), claims ${verdict.claims}, shut out ${verdict.deadLetters}`,
    `  refused for the time being: ${[...refused].map(([code, count]) => `${code} ${count}`).join(', ') || 'nothing'}`,
    `  ${wrong.join(', ')}; complaints ${verdict.complaints.length}`,
  ].join('\n');
}
