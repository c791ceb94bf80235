import { describe, expect, test } from 'vitest';
import { TimeLimit } from '../../../src/gateway/time-limit.ts';
import { FakeClock } from '../../support/fake-clock.ts';

class Limited {
  readonly clock = new FakeClock();
  readonly ending = new AbortController();
  readonly #limit = new TimeLimit(this.clock, 400, this.ending.signal);

  /** What is told of something that arrived `ago` milliseconds before now: the result, or `late` and when. */
  within(work: Promise<string>, ago = 0): Promise<string> {
    return this.#limit.within(this.clock.elapsed() - ago, work, () => `late at ${this.clock.elapsed()}`);
  }
}

const never = new Promise<string>(() => undefined);

describe('an answer', () => {
  test('that comes in time is given', async () => {
    const limited = new Limited();
    let answer = (_: string): void => undefined;
    const given = limited.within(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    await limited.clock.advance(400);
    expect(await Promise.race([given, 'nothing'])).toBe('late at 400');
    const other = limited.within(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    await limited.clock.advance(399);
    answer('in time');
    expect(await other).toBe('in time');
  });

  test('that does not come is late when its time is over, in whatever order requests were dated', async () => {
    const limited = new Limited();
    await limited.clock.advance(1_000);
    const fresh = limited.within(never);
    const old = limited.within(never, 350);
    const oldest = limited.within(never, 399);
    await limited.clock.advance(400);
    expect(await Promise.all([fresh, old, oldest])).toEqual(['late at 1400', 'late at 1050', 'late at 1001']);
  });

  test('that was there in time, while the process was held up, is late', async () => {
    const limited = new Limited();
    const given = limited.within(Promise.resolve('in time'));
    limited.clock.stall(401);
    expect(await given).toBe('late at 401');
  });

  test('that is waited for when everything ends is late at once; what comes after that has all its time', async () => {
    const limited = new Limited();
    const given = limited.within(never);
    await limited.clock.advance(10);
    limited.ending.abort();
    expect(await given).toBe('late at 10');
    limited.clock.stall(1_000);
    expect(await limited.within(Promise.resolve('answer'), 500)).toBe('answer');
  });
});
