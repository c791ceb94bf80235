import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Guard } from '../../embedded-store/engine.ts';
import { cursorKey } from '../../embedded-store/record-keys.ts';
import type { StoredCursors } from '../../embedded-store/stored-cursors.ts';
import type { Database, DatabaseSnapshot } from '../../level/database.ts';
import { type OrdinalRange, resolveLogRange } from '../../ports/log-range.ts';
import type { LogRange, SessionView } from '../../ports/store.ts';
import { viewClosed } from '../plan-checks.ts';
import { documentKey, EntryKeys } from './keys.ts';

const pageEntries = 100;
const pageBytes = 256 * 1024;

/** The session as it is now, or undefined when it does not exist. */
export async function openView(
  database: Database,
  cursors: StoredCursors,
  session: SessionId,
  guard: Guard,
): Promise<SessionView | undefined> {
  const snapshot = database.snapshot();
  let cursor: Cursor | undefined;
  try {
    // Of the very moment of the snapshot, since nothing comes between.
    const recalled = cursors.recall(session);
    cursor = recalled === undefined ? await readCursor(database, cursors, session, snapshot) : recalled.cursor;
  } finally {
    if (cursor?.presence !== 'known') await snapshot.close();
  }
  return cursor?.presence === 'known' ? new LevelSessionView(session, cursor, database, snapshot, guard) : undefined;
}

async function readCursor(
  database: Database,
  cursors: StoredCursors,
  session: SessionId,
  snapshot: DatabaseSnapshot,
): Promise<Cursor | undefined> {
  const note = cursors.startRead();
  const bytes = await database.get(cursorKey(session), { snapshot });
  const cursor = bytes === undefined ? undefined : decodeCursor(bytes);
  note(session, cursor);
  return cursor;
}

/** One session as a LevelDB snapshot shows it: neither commits nor cleaning reach it. */
class LevelSessionView implements SessionView {
  readonly session: SessionId;
  readonly cursor: Cursor;
  readonly #database: Database;
  readonly #snapshot: DatabaseSnapshot;
  readonly #guard: Guard;
  #closed = false;

  /** Owns `snapshot` from now on. */
  constructor(session: SessionId, cursor: Cursor, database: Database, snapshot: DatabaseSnapshot, guard: Guard) {
    this.session = session;
    this.cursor = cursor;
    this.#database = database;
    this.#snapshot = snapshot;
    this.#guard = guard;
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#get('snapshot');
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#get('receipt');
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#get('anchor');
  }

  /** See {@link SessionView.log}. A log that lacks an entry ends with `STORE_CORRUPT`. */
  log(range: LogRange = {}): AsyncIterable<readonly Uint8Array[]> {
    return this.#pages(resolveLogRange(range, this.cursor.entries));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#snapshot.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #get(kind: 'snapshot' | 'receipt' | 'anchor'): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#database.get(documentKey(kind, this.session), { snapshot: this.#snapshot }));
  }

  async *#pages({ from, to }: OrdinalRange): AsyncGenerator<readonly Uint8Array[]> {
    if (from === to) return;
    const range = new EntryKeys(this.session, this.cursor.generation).range(from, to);
    const options = { ...range, snapshot: this.#snapshot, keys: false, highWaterMarkBytes: pageBytes };
    const iterator = await this.#read(async () => this.#database.iterator(options));
    try {
      let missing = to - from;
      while (missing > 0) {
        const page = await this.#read(() => iterator.nextv(Math.min(missing, pageEntries)));
        if (page.length === 0) throw this.#incomplete(missing);
        missing -= page.length;
        yield page.map(([, entry]) => entry);
      }
    } finally {
      await letGo(iterator);
    }
  }

  #read<Value>(read: () => Promise<Value>): Promise<Value> {
    return this.#guard(async () => {
      if (this.#closed) throw viewClosed(this.session);
      return await read();
    });
  }

  #incomplete(missing: number): PersistenceError {
    const name = JSON.stringify(this.session);
    return new PersistenceError('STORE_CORRUPT', `the log of session ${name} lacks ${missing} entries`);
  }
}

/**
 * Closes the iterator, after one more read that empties it: classic-level keeps the last page of a closed one, and room
 * for as many entries as it was asked for, until garbage collection finds it. That does not know of this memory, and
 * is in no hurry: a reader of thousands of logs held 100 to 400 KiB of each.
 */
async function letGo(iterator: ReturnType<Database['iterator']>): Promise<void> {
  await iterator.nextv(1).catch(() => undefined);
  await iterator.close();
}
