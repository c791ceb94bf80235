import { PersistenceError } from '../domain/errors.ts';

/** Throws `ABORTED` once whoever wants to consume has given that up. */
export function refuseGivenUp(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PersistenceError('ABORTED', 'consuming was given up before it had begun');
}
