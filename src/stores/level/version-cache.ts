import type { SessionId } from '../../domain/identifiers.ts';

/** The stored cursor version of a session; undefined when the store has no cursor of it. */
export type StoredVersion = number | undefined;

/**
 * Remembers the stored cursor versions of the sessions used last, within a bound, so that most commits need not read
 * before they write. Two generations stand in for an exact order of use: once the younger one is full it becomes the
 * older one, and what was not used since then goes.
 */
export class VersionCache {
  readonly #capacity: number;
  #younger = new Map<SessionId, StoredVersion>();
  #older = new Map<SessionId, StoredVersion>();
  #evictions = 0;

  /** Holds at most `capacity` sessions. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 2) throw new TypeError('capacity must be a whole number from 2');
    this.#capacity = capacity;
  }

  has(session: SessionId): boolean {
    return this.#younger.has(session) || this.#older.has(session);
  }

  get(session: SessionId): StoredVersion {
    if (this.#younger.has(session)) return this.#younger.get(session);
    const version = this.#older.get(session);
    if (this.#older.has(session)) this.set(session, version);
    return version;
  }

  set(session: SessionId, version: StoredVersion): void {
    this.#younger.set(session, version);
    if (this.#younger.size * 2 < this.#capacity) return;
    this.#older = this.#younger;
    this.#younger = new Map();
    this.#evictions += 1;
  }

  /**
   * Takes what a read that starts now will find. A commit may overtake the read: then the cache knows better, and what
   * was read is ignored; also when the cache has dropped sessions meanwhile, because it may have known better.
   */
  startRead(): (session: SessionId, version: StoredVersion) => void {
    const evictions = this.#evictions;
    return (session, version) => {
      if (this.#evictions === evictions && !this.has(session)) this.set(session, version);
    };
  }
}
