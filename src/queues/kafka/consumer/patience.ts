import { isPersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';

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
