import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { Liveness } from '../../../src/service/liveness.ts';

const options = { stalledAfter: 10_000, grace: 5_000 };

describe('a worker that gets nowhere', () => {
  test('is stalled after the time that is set, told for the grace, and then given up', async () => {
    const { clock, at } = steppedClock();
    const liveness = new Liveness({ ...options, clock, lag: async () => 1 });
    const seen: unknown[] = [];
    at(9_000, () => seen.push(liveness.stalledBecause));
    at(12_000, () => seen.push(liveness.stalledBecause));
    await expect(liveness.watch(new AbortController().signal)).rejects.toMatchObject({ code: 'STALLED' });
    expect(clock.elapsed()).toBe(15_000);
    expect(seen).toEqual([undefined, 'commands are waiting, and none was persisted for 12 s']);
  });

  test('is not stalled while nothing waits', async () => {
    const { clock, at } = steppedClock();
    const ending = new AbortController();
    const liveness = new Liveness({ ...options, clock, lag: async () => 0 });
    at(100_000, () => ending.abort());
    await liveness.watch(ending.signal);
    expect([clock.elapsed(), liveness.stalledBecause]).toEqual([100_000, undefined]);
  });

  test('is live again with the next commit', async () => {
    const { clock, at } = steppedClock();
    const liveness = new Liveness({ ...options, clock, lag: async () => 1 });
    const seen: boolean[] = [];
    at(12_000, () => {
      seen.push(liveness.stalledBecause === undefined);
      liveness.noteCommitted();
      seen.push(liveness.stalledBecause === undefined);
    });
    await expect(liveness.watch(new AbortController().signal)).rejects.toMatchObject({ code: 'STALLED' });
    expect(clock.elapsed()).toBe(27_000);
    expect(seen).toEqual([false, true]);
  });

  test('is stalled when nobody can tell what waits', async () => {
    const { clock } = steppedClock();
    const lag = async () => {
      throw new PersistenceError('QUEUE_UNAVAILABLE', 'down');
    };
    await expect(new Liveness({ ...options, clock, lag }).watch(new AbortController().signal)).rejects.toMatchObject({
      code: 'STALLED',
    });
  });

  test('is stalled when the answer to what waits never comes', async () => {
    const { clock } = steppedClock();
    const lag = () => new Promise<number>(() => undefined);
    await expect(new Liveness({ ...options, clock, lag }).watch(new AbortController().signal)).rejects.toMatchObject({
      code: 'STALLED',
    });
  });

  test('is not given up for the time in which its process stood still, and is for what comes after that', async () => {
    const { clock, at, standStill } = steppedClock();
    const ending = new AbortController();
    let lag = 0;
    const liveness = new Liveness({ ...options, clock, lag: async () => lag });
    at(5_000, () => standStill(600_000));
    at(610_000, () => {
      lag = 1;
    });
    await expect(liveness.watch(ending.signal)).rejects.toMatchObject({ code: 'STALLED' });
    expect(clock.elapsed()).toBe(624_000);
  });

  test.each(['DISK_FULL', 'QUEUE_UNAVAILABLE', 'STORE_UNAVAILABLE'] as const)(
    'is never given up for %s, which starting it again would not mend',
    async (code) => {
      const { clock, at } = steppedClock();
      const ending = new AbortController();
      const liveness = new Liveness({ ...options, clock, lag: async () => 1 });
      liveness.noteRetrying(new PersistenceError(code, 'down'));
      at(100_000, () => ending.abort());
      await liveness.watch(ending.signal);
      expect([clock.elapsed(), liveness.stalledBecause]).toEqual([100_000, expect.stringContaining(code)]);
    },
  );

  test('has its whole time again once what it waited for is there', async () => {
    const { clock, at } = steppedClock();
    const liveness = new Liveness({ ...options, clock, lag: async () => 1 });
    liveness.noteRetrying(new PersistenceError('QUEUE_UNAVAILABLE', 'down'));
    at(100_000, () => liveness.noteRecovered());
    await expect(liveness.watch(new AbortController().signal)).rejects.toMatchObject({ code: 'STALLED' });
    expect(clock.elapsed()).toBe(115_000);
  });
});

/** A clock that moves when somebody sleeps, and calls back at given times. */
function steppedClock(): {
  readonly clock: Clock;
  at(milliseconds: number, call: () => void): void;
  standStill(milliseconds: number): void;
} {
  const calls = new Map<number, () => void>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    elapsed: () => now,
    sleep: async (milliseconds) => {
      // What was asked for meanwhile is answered first.
      await new Promise<void>((resolve) => setImmediate(resolve));
      now += milliseconds;
      calls.get(now)?.();
      calls.delete(now);
    },
  };
  return {
    clock,
    at: (milliseconds, call) => calls.set(milliseconds, call),
    standStill(milliseconds) {
      now += milliseconds;
    },
  };
}
