import { systemClock } from '../platform/system-clock.ts';
import type { Clock } from '../ports/clock.ts';
import { exitCodes } from './exit-codes.ts';

/** One key press may come twice: from the terminal, and forwarded by whatever runs the program, as npm does. */
const sameKeyPress = 300;

/**
 * Aborted by the first SIGINT or SIGTERM: finish what is under way. A second one ends the process at once, through
 * `end`, with the exit code `interrupted`.
 */
export function interruptionOf(
  running: Pick<NodeJS.Process, 'on'>,
  end: (code: number) => void,
  clock: Pick<Clock, 'elapsed'> = systemClock,
): AbortSignal {
  const first = new AbortController();
  let at = Number.NaN;
  const interrupt = (): void => {
    if (!first.signal.aborted) at = clock.elapsed();
    else if (clock.elapsed() - at > sameKeyPress) end(exitCodes.interrupted.code);
    first.abort();
  };
  running.on('SIGINT', interrupt);
  running.on('SIGTERM', interrupt);
  return first.signal;
}
