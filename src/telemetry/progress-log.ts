import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { addTally, deadLetterCount, emptyTally } from '../domain/rule/tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { PipelineEvents } from '../ports/telemetry.ts';

/**
 * Writes how far a pipeline has come, at info, with the first commit and then at most every `interval` milliseconds:
 * what became of all deliveries so far, and deliveries a second since the line before. Silent while nothing is
 * committed.
 */
export function logProgress(
  pipeline: EventEmitter<PipelineEvents>,
  logger: Logger,
  clock: Clock,
  interval: number,
): void {
  const total = emptyTally();
  let deliveries = 0;
  let commits = 0;
  let reported = { at: clock.elapsed(), deliveries: 0 };
  let due = Number.NEGATIVE_INFINITY;
  pipeline.on('committed', (batch) => {
    addTally(total, batch.tally);
    deliveries += batch.deliveries;
    commits += 1;
    const now = clock.elapsed();
    if (now < due) return;
    const seconds = (now - reported.at) / 1000;
    const perSecond = Math.round((deliveries - reported.deliveries) / Math.max(seconds, 0.001));
    const { applied, duplicates, parked, drained } = total;
    const deadLetters = deadLetterCount(total);
    logger.info({ deliveries, commits, applied, duplicates, parked, drained, deadLetters, perSecond }, 'progress');
    reported = { at: now, deliveries };
    due = now + interval;
  });
}
