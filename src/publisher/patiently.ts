import { isPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

const shortestPause = 10;
const longestPause = 2_000;

/**
 * The result of the first attempt that succeeds: a store or queue that is down or full is waited for, as workers do.
 * Giving up halfway would leave a part of the input published. Throws what is not retryable, and `ABORTED` once
 * `signal` is aborted.
 */
export async function patiently<Result>(
  operation: () => Promise<Result>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result> {
  for (let pause = shortestPause; ; pause = Math.min(longestPause, pause * 2)) {
    try {
      return await operation();
    } catch (error) {
      if (!isPersistenceError(error) || !error.retryable) throw error;
    }
    await clock.sleep(pause, signal);
  }
}
