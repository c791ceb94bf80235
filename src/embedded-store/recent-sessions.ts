import type { SessionId } from '../domain/identifiers.ts';

/**
 * Remembers something that is stored of the sessions used last, within a bound, so that it need not be read again.
 * Two generations stand in for an exact order of use: once the younger one is full it becomes the older one, and what
 * was not used since then goes.
 */
export class RecentSessions<Stored> {
  readonly #capacity: number;
  #younger = new Map<SessionId, Stored>();
  #older = new Map<SessionId, Stored>();
  #evictions = 0;

  /** Holds at most `capacity` sessions. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 2) throw new TypeError('capacity must be a whole number from 2');
    this.#capacity = capacity;
  }

  has(session: SessionId): boolean {
    return this.#younger.has(session) || this.#older.has(session);
  }

  /** What is remembered; undefined also when nothing is, see {@link has}. */
  get(session: SessionId): Stored | undefined {
    const stored = this.#younger.get(session);
    if (stored !== undefined || this.#younger.has(session)) return stored;
    const older = this.#older.get(session);
    if (older !== undefined || this.#older.has(session)) this.set(session, older as Stored);
    return older;
  }

  set(session: SessionId, stored: Stored): void {
    this.#younger.set(session, stored);
    if (this.#younger.size * 2 < this.#capacity) return;
    this.#older = this.#younger;
    this.#younger = new Map();
    this.#evictions += 1;
  }

  /**
   * Takes what a read that starts now will find. A commit may overtake the read: then the cache knows better, and what
   * was read is ignored; also when the cache has dropped sessions meanwhile, because it may have known better.
   */
  startRead(): (session: SessionId, stored: Stored) => void {
    const evictions = this.#evictions;
    return (session, stored) => {
      if (this.#evictions === evictions && !this.has(session)) this.set(session, stored);
    };
  }
}
