import type { SessionId } from '../domain/identifiers.ts';
import type { SessionState } from '../domain/rule/knowledge.ts';

/**
 * Session states by id, bounded: about the `capacity` most recently used ones stay. Two generations instead of an
 * exact order: when the young one is full it becomes the old one, and what is used again moves over. A state weighs
 * one, plus one for each parked header it holds.
 */
export class SessionCache {
  readonly #capacity: number;
  #young = new Map<SessionId, SessionState>();
  #old = new Map<SessionId, SessionState>();
  #youngWeight = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(session: SessionId): SessionState | undefined {
    const young = this.#young.get(session);
    if (young !== undefined) return young;
    const old = this.#old.get(session);
    if (old !== undefined) this.set(session, old);
    return old;
  }

  set(session: SessionId, state: SessionState): void {
    this.#youngWeight += weightOf(state) - weightOf(this.#young.get(session));
    this.#young.set(session, state);
    if (this.#youngWeight < this.#capacity / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngWeight = 0;
  }
}

function weightOf(state: SessionState | undefined): number {
  return state === undefined ? 0 : 1 + state.parked.size;
}
