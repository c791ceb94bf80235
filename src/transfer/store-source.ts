import { isCopyMarker } from '../domain/copy-marker.ts';
import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { DeadLetter, FiledRecord, ParkedCommand } from '../domain/plan.ts';
import type { CopySource, SourcePosition, SourceSession } from '../ports/copy-source.ts';
import type { FiledKey, SessionView, Store } from '../ports/store.ts';
import { PageSize } from './sized-pages.ts';

const cursorsAtOnce = 1_000;

/** A store of ours as a source; also what reads a copy back. It belongs to whoever opened it until it is closed here. */
export class StoreSource implements CopySource {
  readonly name: string;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.name = `${store.identity.kind}:${store.identity.id}`;
  }

  async count(): Promise<number> {
    return (await this.#store.readTotals()).sessions;
  }

  async *sessions(): AsyncGenerator<SessionId> {
    for (let after: SessionId | undefined; ; ) {
      const page = await this.#store.listCursors({ after, limit: cursorsAtOnce });
      for (const [session] of page) yield session;
      after = page.at(-1)?.[0];
      if (after === undefined) return;
    }
  }

  async open(session: SessionId): Promise<SourceSession | undefined> {
    const view = await this.#store.openSession(session);
    if (view !== undefined) return new StoreSession(this.#store, session, view.cursor, view);
    const [cursor] = await this.#store.readCursors([session]);
    // Made known between the two reads.
    if (cursor?.presence === 'known') return this.open(session);
    return cursor === undefined ? undefined : new StoreSession(this.#store, session, cursor, undefined);
  }

  async positions(): Promise<readonly SourcePosition[]> {
    const found: SourcePosition[] = [];
    for (const source of await this.#store.readSources()) {
      // What this store was copied from itself is nothing that it was consumed from.
      if (isCopyMarker(source)) continue;
      for (const [partition, to] of await this.#store.readPositions(source)) found.push({ source, partition, to });
    }
    return found;
  }

  async *withoutSession(): AsyncGenerator<readonly DeadLetter[]> {
    for await (const page of filedPages(this.#store, undefined)) {
      const letters = page.filter((record): record is DeadLetter => record.session === undefined);
      if (letters.length > 0) yield letters;
      // They stand before all others.
      if (letters.length < page.length) return;
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One session of a store; its view where it exists, else only what is kept of it beside. */
class StoreSession implements SourceSession {
  readonly session: SessionId;
  readonly exists: boolean;
  readonly #store: Store;
  readonly #cursor: Cursor;
  readonly #view: SessionView | undefined;

  constructor(store: Store, session: SessionId, cursor: Cursor, view: SessionView | undefined) {
    this.session = session;
    this.exists = view !== undefined;
    this.#store = store;
    this.#cursor = cursor;
    this.#view = view;
  }

  async cursor(): Promise<Cursor> {
    return this.#cursor;
  }

  async snapshot(): Promise<Uint8Array | undefined> {
    return this.#view?.snapshot();
  }

  async receipt(): Promise<Uint8Array | undefined> {
    return this.#view?.receipt();
  }

  async anchor(): Promise<Uint8Array | undefined> {
    return this.#view?.anchor();
  }

  async *log(): AsyncGenerator<readonly Uint8Array[]> {
    if (this.#view !== undefined) yield* this.#view.log();
  }

  async *parked(): AsyncGenerator<readonly ParkedCommand[]> {
    if (this.#cursor.parkedCommands === 0) return;
    const headers = await this.#store.readParkedHeaders(this.session);
    const size = new PageSize();
    for (let at = 0; at < headers.length; ) {
      const sequences = headers.slice(at, at + size.next).map(({ sequence }) => sequence);
      const commands = await this.#readParked(sequences);
      at += commands.length;
      size.note(commands.length, total(commands.map(({ message }) => message.length)));
      yield commands;
    }
    await this.#assertUnchanged();
  }

  async *filed(): AsyncGenerator<readonly FiledRecord[]> {
    if (this.#cursor.filed === 0) return;
    yield* filedPages(this.#store, this.session);
    await this.#assertUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#view?.close();
  }

  async #readParked(sequences: readonly ParkedCommand['sequence'][]): Promise<readonly ParkedCommand[]> {
    try {
      return await this.#store.readParked(this.session, sequences);
    } catch (error) {
      // A worker may have applied one of them meanwhile: then it is not missing.
      await this.#assertUnchanged();
      throw error;
    }
  }

  /** Only a view stands still: what is kept beside it is as of now. */
  async #assertUnchanged(): Promise<void> {
    const [cursor] = await this.#store.readCursors([this.session]);
    if (cursor?.version === this.#cursor.version) return;
    throw new PersistenceError('VIEW_EXPIRED', `session ${JSON.stringify(this.session)} was changed while it was read`);
  }
}

async function* filedPages(store: Store, session: SessionId | undefined): AsyncGenerator<readonly FiledRecord[]> {
  const size = new PageSize();
  for (let after: FiledKey | undefined; ; ) {
    const page = await store.readFiled(session, { after, limit: size.next });
    const last = page.at(-1);
    if (last === undefined) return;
    after = { session: last.session, id: last.id };
    size.note(page.length, total(page.map((record) => ('message' in record ? record.message.length : 0))));
    yield page;
  }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
