import { type Cursor, initialCursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Guard } from '../../embedded-store/engine.ts';
import { cursorKey, type Key } from '../../embedded-store/record-keys.ts';
import { type OrdinalRange, resolveLogRange } from '../../ports/log-range.ts';
import type { LogRange, SessionView } from '../../ports/store.ts';
import { viewClosed } from '../plan-checks.ts';
import type { DatabaseSnapshot, RocksDatabase } from './database.ts';
import type { Family } from './families.ts';
import { anchorKey, documentKey, entryKey, logEnd } from './keys.ts';

const pageSize = { records: 1_000, bytes: 256 * 1024 } as const;

/** The session as it is now, or undefined when it does not exist. */
export async function openView(
  database: RocksDatabase,
  session: SessionId,
  guard: Guard,
): Promise<SessionView | undefined> {
  const snapshot = await database.takeSnapshot();
  let cursor: Cursor = initialCursor;
  try {
    const bytes = await database.get('default', cursorKey(session), snapshot);
    if (bytes !== undefined) cursor = decodeCursor(bytes);
  } finally {
    if (cursor.presence !== 'known') await database.releaseSnapshot(snapshot);
  }
  if (cursor.presence !== 'known') return undefined;
  return new RocksdbSessionView(session, cursor, database, snapshot, guard);
}

/** One session as a RocksDB snapshot shows it: no commit reaches it. */
class RocksdbSessionView implements SessionView {
  readonly session: SessionId;
  readonly cursor: Cursor;
  readonly #database: RocksDatabase;
  readonly #snapshot: DatabaseSnapshot;
  readonly #guard: Guard;
  #reading = 0;
  #closed = false;
  #released: Promise<void> | undefined;

  /** Owns `snapshot` from now on. */
  constructor(session: SessionId, cursor: Cursor, database: RocksDatabase, snapshot: DatabaseSnapshot, guard: Guard) {
    this.session = session;
    this.cursor = cursor;
    this.#database = database;
    this.#snapshot = snapshot;
    this.#guard = guard;
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#get('sessions', documentKey(this.session));
  }

  async receipt(): Promise<Uint8Array | undefined> {
    return this.cursor.hasReceipt ? this.#get('receipts', documentKey(this.session)) : this.#nothing();
  }

  async anchor(): Promise<Uint8Array | undefined> {
    return this.cursor.hasAnchor ? this.#get('receipts', anchorKey(this.session)) : this.#nothing();
  }

  /** See {@link SessionView.log}. A log that lacks an entry ends with `STORE_CORRUPT`. */
  log(range: LogRange = {}): AsyncIterable<readonly Uint8Array[]> {
    return this.#pages(resolveLogRange(range, this.cursor.entries));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#reading === 0) this.#released ??= this.#database.releaseSnapshot(this.#snapshot);
    await this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #get(family: Family, key: Key): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#database.get(family, key, this.#snapshot));
  }

  /** There is no family of receipts to look into before there is one. */
  #nothing(): Promise<undefined> {
    return this.#read(async () => undefined);
  }

  async *#pages({ from, to }: OrdinalRange): AsyncGenerator<readonly Uint8Array[]> {
    for (let ordinal = from; ordinal < to; ) {
      const range = { family: 'logs', from: entryKey(this.session, ordinal), to: logEnd(this.session) } as const;
      const size = { ...pageSize, records: Math.min(pageSize.records, to - ordinal) };
      const page = await this.#read(() => this.#database.values(range, size, this.#snapshot));
      if (page.length === 0) throw this.#incomplete(to - ordinal);
      ordinal += page.length;
      yield page;
    }
  }

  #read<Value>(read: () => Promise<Value>): Promise<Value> {
    return this.#guard(async () => {
      if (this.#closed) throw viewClosed(this.session);
      this.#reading += 1;
      try {
        return await read();
      } finally {
        this.#reading -= 1;
        // Whoever closed the view meanwhile has left the snapshot to this read.
        if (this.#closed) await this.close();
      }
    });
  }

  #incomplete(missing: number): PersistenceError {
    const name = JSON.stringify(this.session);
    return new PersistenceError('STORE_CORRUPT', `the log of session ${name} lacks ${missing} entries`);
  }
}
