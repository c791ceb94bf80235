import type { Cursor } from '../domain/cursor.ts';
import { initialCursor } from '../domain/cursor.ts';
import { canonicalDumpParts } from '../domain/documents/canonical.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledRecord } from '../domain/plan.ts';
import type { AcceptedEntry, Waiting } from '../ports/service.ts';
import type { FiledKey, LogRange, Page, SessionView, Store } from '../ports/store.ts';
import { incomingAfter } from './accepted.ts';
import { untilReached, type WaitingMeans } from './waiting.ts';

const pageSize = 1000;
/** Each of the filed records may hold a command of 16 MiB. */
const filedPageSize = 16;

/** A session together with its latest snapshot, as it is stored. */
export interface SnapshotOf {
  readonly session: SessionId;
  readonly snapshot: Uint8Array;
}

/**
 * Reads what a store holds. A session that does not exist (unknown or deleted) reads as undefined, or, where entries
 * are asked for, throws `SESSION_NOT_FOUND`. Each read sees one moment of its session; later commits do not show in
 * it. With a `waiting`, a read first waits as {@link untilReached} says, and sees at least what it waited for. The
 * store belongs to whoever opened it.
 */
export class SessionReader {
  readonly #store: Store;
  readonly #means: WaitingMeans | undefined;

  /** `means`: by what reads wait; a reader without them throws a TypeError when it is told to. */
  constructor(store: Store, means?: WaitingMeans) {
    this.#store = store;
    this.#means = means;
  }

  /** The session's snapshot as it was sent, or undefined when it does not exist or has none. */
  loadSession(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#read(session, (view) => view.snapshot(), waiting, signal);
  }

  receipt(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#read(session, (view) => view.receipt(), waiting, signal);
  }

  anchor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#read(session, (view) => view.anchor(), waiting, signal);
  }

  /** What the store knows of the session, existing or not; the initial cursor when it has never heard of it. */
  async cursor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor> {
    const reached = await this.#untilReached(session, waiting, signal);
    if (reached !== undefined) return reached;
    const [cursor] = await this.#store.readCursors([session]);
    return cursor ?? initialCursor;
  }

  /** The session as of now, to be closed by the caller. Throws `SESSION_NOT_FOUND` when it does not exist. */
  async open(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<SessionView> {
    if (waiting !== undefined) await this.#untilReached(session, waiting, signal);
    const view = await this.#store.openSession(session);
    if (view === undefined) throw sessionNotFound(session);
    return view;
  }

  /** The log entries of the range in order, one by one. */
  async *loadLog(
    session: SessionId,
    range: LogRange = {},
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    await using view = await this.open(session, waiting, signal);
    for await (const page of view.log(range)) yield* page;
  }

  /** The accepted messages with ordinals above `after`; see {@link incomingAfter}. */
  async *incomingAfter(
    session: SessionId,
    after: number,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<AcceptedEntry> {
    await using view = await this.open(session, waiting, signal);
    yield* incomingAfter(view, after);
  }

  /** One page of the ids of existing sessions, in UTF-8 byte order. */
  listSessionIds(page: Page<SessionId>): Promise<readonly SessionId[]> {
    return this.#store.listSessions(page);
  }

  /** The ids of all existing sessions in UTF-8 byte order, read page by page. */
  async *sessionIds(): AsyncGenerator<SessionId> {
    for await (const page of this.sessionPages()) yield* page;
  }

  /** The same, as pages. */
  async *sessionPages(): AsyncGenerator<readonly SessionId[]> {
    for (let after: SessionId | undefined; ; ) {
      const page = await this.#store.listSessions({ after, limit: pageSize });
      yield page;
      after = page.at(-1);
      if (after === undefined || page.length < pageSize) return;
    }
  }

  /** All existing sessions that have a snapshot, in UTF-8 byte order of their ids. */
  async *loadAllSessions(): AsyncGenerator<SnapshotOf> {
    for await (const session of this.sessionIds()) {
      const snapshot = await this.loadSession(session);
      if (snapshot !== undefined) yield { session, snapshot };
    }
  }

  /** Dead letters and applied decisions of a session, read page by page. */
  async *filed(session: SessionId): AsyncGenerator<FiledRecord> {
    for (let after: FiledKey | undefined; ; ) {
      const page = await this.#store.readFiled(session, { after, limit: filedPageSize });
      yield* page;
      const latest = page.at(-1);
      if (latest === undefined || page.length < filedPageSize) return;
      after = { session: latest.session, id: latest.id };
    }
  }

  /**
   * The canonical dump of every existing session in UTF-8 byte order of the ids, a line each, its line feed included;
   * in parts, a log entry at a time, because logs may be long.
   */
  async *dump(): AsyncGenerator<string> {
    for await (const session of this.sessionIds()) {
      await using view = await this.#store.openSession(session);
      // Deleted since its id was read.
      if (view === undefined) continue;
      yield* canonicalDumpParts({ session, snapshot: await view.snapshot(), log: entriesOf(view) });
      yield '\n';
    }
  }

  async #read<Value>(
    session: SessionId,
    take: (view: SessionView) => Promise<Value>,
    waiting: Waiting | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Value | undefined> {
    await this.#untilReached(session, waiting, signal);
    await using view = await this.#store.openSession(session);
    return view === undefined ? undefined : await take(view);
  }

  async #untilReached(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor | undefined> {
    if (waiting === undefined) return undefined;
    if (this.#means === undefined) throw new TypeError('a reader that shall wait must be given a watch and a clock');
    return await untilReached(session, waiting, this.#means, signal);
  }
}

export function sessionNotFound(session: SessionId): PersistenceError {
  return new PersistenceError('SESSION_NOT_FOUND', `session ${JSON.stringify(session)} does not exist in this store`);
}

async function* entriesOf(view: SessionView): AsyncGenerator<Uint8Array> {
  for await (const page of view.log()) yield* page;
}
