import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import { resolveLogRange } from '../ports/log-range.ts';
import type {
  AcceptedEntry,
  FollowedEvent,
  FollowPoint,
  Service,
  SessionPage,
  SessionQuery,
  SessionSummary,
  Waiting,
} from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { LogRange, SessionView, Store } from '../ports/store.ts';
import { incomingPagesAfter } from '../read-side/accepted.ts';
import { SessionReader, sessionNotFound } from '../read-side/session-reader.ts';
import { followLog } from './follow-log.ts';
import { LogCache } from './log-cache.ts';
import { listSessions } from './session-list.ts';
import { summarize } from './session-summary.ts';

/** The part of a service that reads sessions. */
export type ReadingPart = Pick<
  Service,
  'listSessions' | 'showSession' | 'cursor' | 'snapshot' | 'receipt' | 'anchor' | 'log' | 'follow' | 'incoming' | 'dump'
>;

export interface SessionReadsOptions {
  readonly store: Store;
  /** Of the same store. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
  /** Most bytes of recently read logs that are kept in memory. */
  readonly cachedLogBytes: number;
}

/**
 * Reads sessions of an open store, see {@link Service}. A view of the store is open only while one of its parts is
 * read; what streams ends with `ABORTED` once its signal is aborted, except `follow`, which just ends.
 */
export class SessionReads implements ReadingPart {
  readonly #options: SessionReadsOptions;
  readonly #reader: SessionReader;
  readonly #logs: LogCache;

  constructor(options: SessionReadsOptions) {
    this.#options = options;
    this.#reader = new SessionReader(options.store, options);
    this.#logs = new LogCache(options.cachedLogBytes);
  }

  listSessions(query: SessionQuery): Promise<SessionPage> {
    return listSessions(this.#options.store, this.#options.clock, query);
  }

  async showSession(session: SessionId): Promise<SessionSummary> {
    const { cursor, snapshot } = (await this.#moment(session)) ?? { cursor: await this.cursor(session) };
    return await summarize(this.#reader, session, cursor, snapshot);
  }

  /** See {@link Service}. Tells of a deleted session, and of one for which something only waits, as well. */
  async cursor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor> {
    const cursor = await this.#reader.cursor(session, waiting, signal);
    if (cursor.version === 0) throw sessionNotFound(session);
    return cursor;
  }

  snapshot(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#document('snapshot', session, waiting, signal);
  }

  receipt(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#document('receipt', session, waiting, signal);
  }

  anchor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#document('anchor', session, waiting, signal);
  }

  async *log(
    session: SessionId,
    range: LogRange,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const cached = await this.#cachedLog(session, range, waiting, signal);
    if (cached === undefined) yield* untilAborted(this.#storedLog(session, range, waiting, signal), signal);
    else if (cached.length > 0) yield cached;
  }

  follow(session: SessionId, from: FollowPoint, signal: AbortSignal): AsyncIterable<FollowedEvent> {
    return followLog(session, from, this.#options, signal);
  }

  async *incoming(
    session: SessionId,
    after: number,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly AcceptedEntry[]> {
    await using view = await this.#reader.open(session, waiting, signal);
    yield* untilAborted(incomingPagesAfter(view, after), signal);
  }

  dump(signal?: AbortSignal): AsyncIterable<string> {
    return untilAborted(this.#reader.dump(), signal);
  }

  /** The entries that `range` names, where all of them are in the cache: only the cursor is read then. */
  async #cachedLog(
    session: SessionId,
    range: LogRange,
    waiting: Waiting | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[] | undefined> {
    const cached = this.#logs.get(session);
    if (cached === undefined) return undefined;
    const { presence, generation, entries } = await this.#reader.cursor(session, waiting, signal);
    if (presence !== 'known' || generation !== cached.generation) return undefined;
    const { from, to } = resolveLogRange(range, entries);
    if (to > cached.entries.length) return undefined;
    // All of them are the list itself, which is joined already.
    return to - from === cached.entries.length ? cached.entries : cached.entries.slice(from, to);
  }

  /** The entries as they are read from the store. A whole log that came in one page is remembered. */
  async *#storedLog(
    session: SessionId,
    range: LogRange,
    waiting: Waiting | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Uint8Array[]> {
    await using view = await this.#reader.open(session, waiting, signal);
    const { generation, entries: count } = view.cursor;
    for await (const entries of view.log(range)) {
      yield entries.length === count ? this.#logs.put(session, { generation, entries }) : entries;
    }
  }

  /** Cursor and snapshot of one moment, or undefined when the session does not exist. */
  async #moment(
    session: SessionId,
  ): Promise<{ readonly cursor: Cursor; readonly snapshot?: Uint8Array | undefined } | undefined> {
    await using view = await this.#options.store.openSession(session);
    return view === undefined ? undefined : { cursor: view.cursor, snapshot: await view.snapshot() };
  }

  async #document(
    kind: 'snapshot' | 'receipt' | 'anchor',
    session: SessionId,
    waiting: Waiting | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    await using view: SessionView = await this.#reader.open(session, waiting, signal);
    const bytes = await view[kind]();
    if (bytes !== undefined) return bytes;
    throw new PersistenceError('NOT_STORED', `session ${JSON.stringify(session)} has no ${kind}`);
  }
}

async function* untilAborted<Part>(parts: AsyncIterable<Part>, signal: AbortSignal | undefined): AsyncGenerator<Part> {
  for await (const part of parts) {
    if (signal?.aborted) throw new PersistenceError('ABORTED', 'the read was given up');
    yield part;
  }
}
