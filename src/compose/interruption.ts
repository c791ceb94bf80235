import { exitCodes } from './exit-codes.ts';

/**
 * Aborted by the first SIGINT or SIGTERM: finish what is under way. The second one ends the process at once, with
 * the exit code `interrupted`.
 */
export function interruptionOf(running: Pick<NodeJS.Process, 'on' | 'exit'>): AbortSignal {
  const first = new AbortController();
  const interrupt = (): void => {
    if (first.signal.aborted) running.exit(exitCodes.interrupted.code);
    first.abort();
  };
  running.on('SIGINT', interrupt);
  running.on('SIGTERM', interrupt);
  return first.signal;
}
