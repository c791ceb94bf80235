import { expect, test } from 'vitest';
import { emptyTally } from '../../../src/domain/rule/tally.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { Activity } from '../../../src/service/activity.ts';

test('the rate is that of the last minute, and of less where a worker is younger', () => {
  let now = 0;
  const clock: Clock = { now: () => now, elapsed: () => now, sleep: () => Promise.reject(new Error('never')) };
  const activity = new Activity(clock);
  const commit = (deliveries: number): void =>
    activity.noteCommitted({ deliveries, bytes: 0, changes: [], tally: emptyTally(), positions: [], milliseconds: 1 });
  expect([activity.rate, activity.sinceCommit]).toEqual([0, undefined]);
  now = 10_000;
  commit(1_000);
  expect(activity.rate).toBe(100);
  now = 50_000;
  commit(500);
  expect(activity.rate).toBe(30);
  // The first commit is older than a minute now, the second is not.
  now = 80_000;
  expect(activity.rate).toBeCloseTo(500 / 55, 5);
  expect([activity.deliveries, activity.commits, activity.sinceCommit]).toEqual([1_500, 2, 30_000]);
  now = 1_000_000;
  expect(activity.rate).toBe(0);
});
