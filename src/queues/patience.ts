import { isPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

const firstPause = 20;
const longestPause = 1_000;

/** Milliseconds to wait before trying again for the `attempt`th time, from 1: doubling from 20 to 1000. */
export function pauseBefore(attempt: number): number {
  return Math.min(longestPause, firstPause * 2 ** (attempt - 1));
}

/**
 * Tries until it succeeds, for at most `milliseconds`: then, or when no retry mends it, rejects with the last failure.
 * Ends early, with the same, once `signal` is aborted.
 */
export async function tryWithin<Result>(
  clock: Clock,
  milliseconds: number,
  operation: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const start = clock.elapsed();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      const isOver = clock.elapsed() - start >= milliseconds || signal?.aborted === true;
      if (isOver || !isPersistenceError(error) || !error.retryable) throw error;
    }
    await clock.sleep(pauseBefore(attempt), signal).catch(() => undefined);
  }
}

/** Which of several things failed lately, and is to be left alone for a while. */
export class Backoffs {
  readonly #clock: Clock;
  readonly #failing = new Map<number, { readonly failures: number; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isPausing(one: number): boolean {
    return this.#clock.elapsed() < (this.#failing.get(one)?.until ?? 0);
  }

  failed(one: number): void {
    const failures = (this.#failing.get(one)?.failures ?? 0) + 1;
    this.#failing.set(one, { failures, until: this.#clock.elapsed() + pauseBefore(failures) });
  }

  succeeded(one: number): void {
    this.#failing.delete(one);
  }
}
