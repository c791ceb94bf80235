import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { SessionChange } from '../domain/plan.ts';
import { RecentSessions } from './recent-sessions.ts';
import type { RecordReader } from './record-reader.ts';

/** At about 500 bytes each. */
const rememberedCursors = 10_000;

/**
 * The stored cursors; those of the sessions used last come from memory. While a commit is under way the database may
 * or may not show it already, and whoever saw it there is not to see less afterwards: until it is settled its sessions
 * are read from the database, and forever when it fails.
 */
export class StoredCursors {
  readonly #reader: Pick<RecordReader, 'cursors'>;
  readonly #remembered = new RecentSessions<Cursor | undefined>(rememberedCursors);
  #committing: ReadonlySet<SessionId> = new Set();

  constructor(reader: Pick<RecordReader, 'cursors'>) {
    this.#reader = reader;
  }

  /** The cursors of the sessions, in their order; undefined for one that the store has never heard of. */
  async read(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const recalled = this.#recallAll(sessions);
    if (recalled !== undefined) return recalled;
    const note = this.startRead();
    const cursors = await this.#reader.cursors(sessions);
    sessions.forEach((session, index) => {
      note(session, cursors[index]);
    });
    return cursors;
  }

  /** What the database holds at this moment, where that is remembered. */
  recall(session: SessionId): { readonly cursor: Cursor | undefined } | undefined {
    if (this.#committing.has(session) || !this.#remembered.has(session)) return undefined;
    return { cursor: this.#remembered.get(session) };
  }

  /** Takes what a read of the database that starts now will find, unless a commit overtakes it. */
  startRead(): (session: SessionId, cursor: Cursor | undefined) => void {
    const note = this.#remembered.startRead();
    return (session, cursor) => {
      if (!this.#committing.has(session)) note(session, cursor);
    };
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

  #recallAll(sessions: readonly SessionId[]): readonly (Cursor | undefined)[] | undefined {
    const cursors: (Cursor | undefined)[] = [];
    for (const session of sessions) {
      const recalled = this.recall(session);
      if (recalled === undefined) return undefined;
      cursors.push(recalled.cursor);
    }
    return cursors;
  }
}
