import type { Cursor } from '../../domain/cursor.ts';
import { compactJson } from '../../domain/documents/json-text.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Guard } from '../../embedded-store/engine.ts';
import type { Database, DatabaseSnapshot } from '../../level/database.ts';
import { type OrdinalRange, resolveLogRange } from '../../ports/log-range.ts';
import type { LogRange, SessionView } from '../../ports/store.ts';
import { viewClosed } from '../plan-checks.ts';
import { readChunks } from './log-chunks.ts';
import { entriesOf, logPages } from './log-pages.ts';
import type { Places, SessionFile } from './places.ts';
import { decodeState, noFiles, type SessionState, stateKey } from './session-state.ts';
import type { Reader, SetAside } from './set-aside.ts';

/** Where a view reads. */
export interface ViewSource {
  readonly places: Places;
  readonly setAside: SetAside;
  readonly database: Database;
  readonly guard: Guard;
}

/** One session as the records' snapshot shows it; its files are set aside for it where they are replaced. */
export class FileSessionView implements SessionView {
  readonly session: SessionId;
  readonly cursor: Cursor;
  readonly #source: ViewSource;
  readonly #snapshot: DatabaseSnapshot;
  readonly #reader: Reader;
  #closed = false;

  /** Owns `snapshot` and `reader` from now on. */
  constructor(
    session: SessionId,
    cursor: Cursor,
    source: ViewSource,
    moment: { readonly snapshot: DatabaseSnapshot; readonly reader: Reader },
  ) {
    this.session = session;
    this.cursor = cursor;
    this.#source = source;
    this.#snapshot = moment.snapshot;
    this.#reader = moment.reader;
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#read(async () => {
      const { snapshot: form } = await this.#state();
      const bytes = await this.#whole('snapshot', form === 'absent');
      return bytes === undefined || form === 'verbatim' ? bytes : this.#compact(bytes);
    });
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#read(async () => (this.cursor.hasReceipt ? this.#whole('receipt') : undefined));
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#read(async () => (this.cursor.hasAnchor ? this.#whole('anchor') : undefined));
  }

  /** See {@link SessionView.log}. What is not what was written ends it with `STORE_CORRUPT`, with file and line. */
  log(range: LogRange = {}): AsyncIterable<readonly Uint8Array[]> {
    return this.#pages(resolveLogRange(range, this.cursor.entries));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#snapshot.close();
    await this.#source.setAside.removeReader(this.#reader, this.session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#pages({ from, to }: OrdinalRange): AsyncGenerator<readonly Uint8Array[]> {
    if (from === to) return;
    const { setAside, places, database } = this.#source;
    const file = await this.#read(() => setAside.open(this.#reader, this.session, 'log'));
    try {
      const log = { session: this.session, generation: this.cursor.generation, snapshot: this.#snapshot };
      const chunks = readChunks(database, log, { from, to });
      const pages = logPages(chunks);
      const path = places.file(this.session, 'log');
      let next = from;
      for (;;) {
        const page = await this.#read(() => pages.next());
        if (page.done === true) break;
        const entries = await this.#read(() => entriesOf(file, path, page.value, next, to));
        next += entries.length;
        yield entries;
      }
      if (next < to) throw this.#corrupt(`${path} lacks ${to - next} entries`);
    } finally {
      await file.close();
    }
  }

  async #state(): Promise<SessionState> {
    const bytes = await this.#source.database.get(stateKey(this.session), { snapshot: this.#snapshot });
    return bytes === undefined ? noFiles : decodeState(bytes);
  }

  /** The file's bytes. macp-runtime writes a snapshot of every session when it starts: that one `mayBeAbsent`. */
  async #whole(name: SessionFile, mayBeAbsent = false): Promise<Uint8Array | undefined> {
    const { setAside, places } = this.#source;
    try {
      await using file = await setAside.open(this.#reader, this.session, name);
      const bytes = Buffer.allocUnsafe(await file.size());
      return bytes.subarray(0, await file.read(bytes, 0));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (mayBeAbsent) return undefined;
      throw this.#corrupt(`${places.file(this.session, name)} is not there`);
    }
  }

  #compact(bytes: Uint8Array): Uint8Array {
    try {
      return compactJson(bytes);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#corrupt(`${this.#source.places.file(this.session, 'snapshot')} is no JSON: ${reason}`);
    }
  }

  #read<Value>(read: () => Promise<Value>): Promise<Value> {
    return this.#source.guard(async () => {
      if (this.#closed) throw viewClosed(this.session);
      return await read();
    });
  }

  #corrupt(what: string): PersistenceError {
    return new PersistenceError('STORE_CORRUPT', what);
  }
}
