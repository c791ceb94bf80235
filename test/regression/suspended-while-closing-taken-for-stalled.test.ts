import { expect, test } from 'vitest';
import { awakeFor } from '../../src/compose/awake-for.ts';
import { FakeClock } from '../support/fake-clock.ts';

test('a process that is suspended while it closes has its time for closing left when it goes on', async () => {
  const clock = new FakeClock();
  let isOver = false;
  void awakeFor(5_000, clock, new AbortController().signal).then(() => {
    isOver = true;
  });
  await clock.advance(1_000);
  clock.stall(60_000);
  await clock.advance(3_800);
  expect(isOver).toBe(false);
  await clock.advance(300);
  expect(isOver).toBe(true);
});
