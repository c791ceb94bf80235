import { EventEmitter } from 'node:events';
import pino from 'pino';
import { expect, it } from 'vitest';
import { emptyTally } from '../../../src/domain/rule/tally.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { PipelineEvents } from '../../../src/ports/telemetry.ts';
import { logProgress } from '../../../src/telemetry/progress-log.ts';

it('tells of progress with the first commit and then once an interval, with counts of everything so far', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const pipeline = new EventEmitter<PipelineEvents>();
  let elapsed = 0;
  const clock: Clock = { now: () => 0, elapsed: () => elapsed, sleep: () => Promise.resolve() };
  logProgress(pipeline, logger, clock, 10_000);
  const commit = (applied: number) => {
    const tally = { ...emptyTally(), applied, duplicates: 1 };
    pipeline.emit('committed', {
      deliveries: applied + 1,
      bytes: 1,
      changes: [],
      tally,
      positions: [],
      milliseconds: 1,
    });
  };
  elapsed = 1_000;
  commit(9);
  elapsed = 10_999;
  commit(99);
  elapsed = 11_000;
  commit(899);
  expect(lines).toMatchObject([
    { msg: 'progress', deliveries: 10, commits: 1, applied: 9, duplicates: 1, deadLetters: 0, perSecond: 10 },
    { msg: 'progress', deliveries: 1010, commits: 3, applied: 1007, duplicates: 3, perSecond: 100 },
  ]);
});
