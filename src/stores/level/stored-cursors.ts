import type { Cursor } from '../../domain/cursor.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SessionChange } from '../../domain/plan.ts';
import type { LevelReader } from './level-reader.ts';
import { RecentSessions } from './recent-sessions.ts';

/** At about 500 bytes each. */
const rememberedCursors = 10_000;

/**
 * The stored cursors; those of the sessions used last come from memory. While a commit is under way the database may
 * or may not show it already, and whoever saw it there is not to see less afterwards: until it is settled its sessions
 * are read from the database, and forever when it fails.
 */
export class StoredCursors {
  readonly #reader: Pick<LevelReader, 'cursors'>;
  readonly #remembered = new RecentSessions<Cursor | undefined>(rememberedCursors);
  #committing: ReadonlySet<SessionId> = new Set();

  constructor(reader: Pick<LevelReader, 'cursors'>) {
    this.#reader = reader;
  }

  /** The cursors of the sessions, in their order; undefined for one that the store has never heard of. */
  async read(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const remembered = this.#fromMemory(sessions);
    if (remembered !== undefined) return remembered;
    const note = this.#remembered.startRead();
    const cursors = await this.#reader.cursors(sessions);
    sessions.forEach((session, index) => {
      if (!this.#committing.has(session)) note(session, cursors[index]);
    });
    return cursors;
  }

  /** To be called before the changes are written. */
  startCommit(changes: readonly Pick<SessionChange, 'session'>[]): void {
    this.#committing = new Set(changes.map(({ session }) => session));
  }

  /** To be called once the changes are written. */
  settle(changes: readonly Pick<SessionChange, 'session' | 'after'>[]): void {
    for (const { session, after } of changes) this.#remembered.set(session, after);
    this.#committing = new Set();
  }

  #fromMemory(sessions: readonly SessionId[]): readonly (Cursor | undefined)[] | undefined {
    const cursors: (Cursor | undefined)[] = [];
    for (const session of sessions) {
      // Each is asked for and taken at once: taking one may make the memory drop another.
      if (this.#committing.has(session) || !this.#remembered.has(session)) return undefined;
      cursors.push(this.#remembered.get(session));
    }
    return cursors;
  }
}
