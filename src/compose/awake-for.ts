import type { Clock } from '../ports/clock.ts';

const round = 100;

/**
 * Resolves after so many milliseconds in which this process was awake: a stretch in which it, or its machine, was
 * suspended counts for one round at most. Rejects with `ABORTED`.
 */
export async function awakeFor(milliseconds: number, clock: Clock, signal: AbortSignal): Promise<void> {
  let left = milliseconds;
  do {
    await clock.sleep(Math.min(round, left), signal);
    left -= round;
  } while (left > 0);
}
