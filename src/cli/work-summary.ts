import type { WorkSummary } from '../compose/worker.ts';

/** What was done with commands, `Persisted` for instance, as lines for people. */
export function describeWork(verb: string, { deliveries, milliseconds, tally }: WorkSummary): readonly string[] {
  const seconds = milliseconds / 1000;
  const rate = seconds > 0 ? Math.round(deliveries / seconds) : deliveries;
  const reasons = Object.entries(tally.deadLetters).filter(([, count]) => count > 0);
  const deadLetters = reasons.reduce((sum, [, count]) => sum + count, 0);
  const named = reasons.map(([reason, count]) => `${reason} ${count}`).join(', ');
  return [
    `${verb} ${deliveries} commands in ${seconds.toFixed(1)} s (${rate} a second).`,
    `Applied ${tally.applied}, duplicates ${tally.duplicates}, claims ${tally.claimed}, skips ${tally.skipped}, parked ${tally.parked}, unparked ${tally.drained}.`,
    `Dead letters ${deadLetters}${named === '' ? '' : ` (${named})`}.`,
  ];
}
