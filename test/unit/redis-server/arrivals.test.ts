import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/ports/clock.ts';
import { Arrivals } from '../../../src/redis-server/arrivals.ts';

const kibibyte = 1_024;
/** What one turn takes from a socket, at most. */
const mostOfTurn = 1_024 * kibibyte;

/** A connection whose bytes are known to have come when they did, and an event loop that looks at it now and then. */
class SimulatedConnection {
  now = 1;
  since = 0;
  /** What lies unread: when it came, and how much it is. */
  readonly #unread: { readonly came: number; bytes: number }[] = [];
  /** When the last look began that is not over yet. */
  #looking: number | undefined;
  #isRead = true;
  readonly #arrivals: Arrivals;
  /** What was read: when it came, and the date that it was given. */
  readonly dated: { readonly came: number; readonly date: number; readonly since: number }[] = [];

  constructor() {
    const clock: Clock = { now: () => 0, elapsed: () => this.now, sleep: () => Promise.reject(new Error('no sleep')) };
    this.#arrivals = new Arrivals(this, clock, this.since);
  }

  come(bytes: number): void {
    this.#unread.push({ came: this.now, bytes });
  }

  look(): void {
    this.#looking = this.now;
  }

  /** The loop polls; a look that began before is over then. */
  turn(): void {
    for (let room = mostOfTurn; this.#isRead && room > 0; ) {
      const [first] = this.#unread;
      if (first === undefined) break;
      const bytes = Math.min(first.bytes, room);
      this.dated.push({ came: first.came, date: this.#arrivals.date(bytes), since: this.since });
      first.bytes -= bytes;
      room -= bytes;
      if (first.bytes === 0) this.#unread.shift();
    }
    this.since = this.#looking ?? this.since;
    this.#looking = undefined;
  }

  pause(): void {
    if (this.#isRead) this.#arrivals.paused();
    this.#isRead = false;
  }

  resume(): void {
    if (!this.#isRead) this.#arrivals.resumed();
    this.#isRead = true;
  }
}

type Step = 'turn' | 'look' | 'pause' | 'resume' | number;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('turn' as const) },
  { weight: 2, arbitrary: fc.constant('look' as const) },
  { weight: 1, arbitrary: fc.constant('pause' as const) },
  { weight: 1, arbitrary: fc.constant('resume' as const) },
  { weight: 3, arbitrary: fc.oneof(fc.constantFrom(1, 3 * mostOfTurn), fc.integer({ min: 1, max: mostOfTurn })) },
);

function run(steps: readonly Step[]): SimulatedConnection {
  const connection = new SimulatedConnection();
  for (const one of steps) {
    connection.now += 1;
    if (typeof one === 'number') connection.come(one);
    else connection[one]();
  }
  return connection;
}

describe('what a connection brings', () => {
  test('is never dated later than it came, whatever holds the loop up', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        for (const { came, date } of run(steps).dated) expect(date).toBeLessThanOrEqual(came);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is dated by the last look once a look has found the connection empty', () => {
    const quiet: readonly Step[] = ['look', 'turn'];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 1_000 }), (steps, bytes) => {
        const emptied: readonly Step[] = ['resume', ...Array.from({ length: 100 }, () => 'turn' as const)];
        const { dated } = run([...steps, ...emptied, ...quiet, bytes, 'turn']);
        const last = dated.at(-1);
        expect(last?.date).toBe(last?.since);
        expect(last?.since).toBe((last?.came ?? 0) - 2);
      }),
    );
  });

  test('is dated by what was known when it connected, until a look has passed', () => {
    expect(run(['turn', 5, 'turn', 'look', 6, 'turn', 7, 'turn']).dated.map(({ date }) => date)).toEqual([0, 0, 5]);
  });
});
