import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledKey } from './store.ts';

/** Tells where sessions stand and when that changes: from the store itself, or from whoever has it open. */
export interface SessionWatch {
  /** The cursors of the sessions, in their order; the initial one for a session that the store has never heard of. */
  cursors(sessions: readonly SessionId[]): Promise<readonly Cursor[]>;
  /** The session's cursor as soon as its version is above `version`. Rejects with `ABORTED` once `signal` is aborted. */
  changed(session: SessionId, version: number, signal?: AbortSignal): Promise<Cursor>;
  /** Which of the given dead letters and decisions the store holds, in their order. */
  areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]>;
  /** True when what the store holds under the key is a decision that took effect, and no dead letter. */
  isDecision(key: FiledKey): Promise<boolean>;
}
