import { PersistenceError } from '../domain/errors.ts';
import type { Store } from '../ports/store.ts';

export type CopyPhase = 'copying' | 'verifying';

export interface CopyOptions {
  /** Belongs to the caller, as the source does. */
  readonly target: Store;
  /** Ends the copy between two sessions with `ABORTED`. */
  readonly signal: AbortSignal;
  /** Told how many sessions are done in the present phase. */
  readonly onProgress: (phase: CopyPhase, sessions: number) => void;
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted: begun again, the copy goes on from here');
}
