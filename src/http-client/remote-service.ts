import type { Cursor } from '../domain/cursor.ts';
import { cursorFromJson } from '../domain/encoding/cursor-json.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledId } from '../domain/plan.ts';
import type {
  AcceptedEntry,
  BackupSummary,
  DeadLetterDetail,
  DeadLetterPage,
  DeadLetterQuery,
  FollowedEvent,
  FollowPoint,
  PublishRequest,
  PublishResult,
  RepairRequest,
  Service,
  ServiceStatus,
  SessionPage,
  SessionQuery,
  SessionSummary,
  SkipRequest,
  Waiting,
} from '../ports/service.ts';
import type { FiledKey, LogRange } from '../ports/store.ts';
import { Connection, type ConnectionOptions, type Request } from './connection.ts';
import { eventBody } from './event-body.ts';
import { followedEvent, serverSentEvents } from './event-stream.ts';
import { Problem } from './failures.ts';
import { acceptedEntry, jsonLines } from './json-lines.ts';
import { actionPath, longestWait, sessionPath, waited } from './session-requests.ts';

/** Most sessions or dead letters on one page. */
const longestPage = 1_000;

/**
 * The service at an address, used as if it were here. Nothing is sent yet. Throws `INVALID_CONFIGURATION` for what is
 * no address, or no token that can be sent.
 */
export function connectService(options: ConnectionOptions): RemoteService {
  return new RemoteService(new Connection(options));
}

/**
 * A service behind its HTTP API. Errors carry the codes that the service itself would throw; besides, every method may
 * throw `SERVICE_UNAVAILABLE` (it does not answer, or broke off: what was asked for may have been done),
 * `UNAUTHENTICATED`, `FORBIDDEN`, `TOO_MANY_REQUESTS`, and `ABORTED` once it was closed here.
 */
export class RemoteService implements Service {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async listSessions({ after, limit, state, mode, blocked }: SessionQuery): Promise<SessionPage> {
    return await this.#get<SessionPage>('v1/sessions', { after, limit: pageLimit(limit), state, mode, blocked });
  }

  async showSession(session: SessionId): Promise<SessionSummary> {
    return await this.#get<SessionSummary>(sessionPath(session, 'summary'));
  }

  async cursor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor> {
    const path = sessionPath(session, 'cursor');
    return cursorFromJson(await waited(waiting, (query) => this.#connection.json({ path, query }, signal)));
  }

  async snapshot(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#document(sessionPath(session), waiting, signal);
  }

  async receipt(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#document(sessionPath(session, 'receipt'), waiting, signal);
  }

  async anchor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#document(sessionPath(session, 'anchor'), waiting, signal);
  }

  async *log(
    session: SessionId,
    { from, to, limit }: LogRange,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const path = sessionPath(session, 'log');
    yield* jsonLines(this.#waitedChunks(path, { from, to, limit }, waiting, signal));
  }

  /** Throws when the connection ends: go on with the event after the last one that was told. */
  async *follow(session: SessionId, from: FollowPoint, signal: AbortSignal): AsyncGenerator<FollowedEvent> {
    const query = { follow: true, from: from.ordinal, generation: from.generation };
    const request: Request = { path: sessionPath(session, 'log'), query, headers: { accept: 'text/event-stream' } };
    try {
      for await (const event of serverSentEvents(this.#connection.chunks(request, signal))) {
        const followed = followedEvent(event);
        if (followed !== undefined) yield followed;
      }
    } catch (error) {
      if (signal.aborted && isPersistenceError(error, 'ABORTED')) return;
      throw error;
    }
    throw new PersistenceError('SERVICE_UNAVAILABLE', 'the service ended a stream that has no end');
  }

  async *incoming(
    session: SessionId,
    after: number,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly AcceptedEntry[]> {
    const path = sessionPath(session, 'incoming');
    const lines = jsonLines(this.#waitedChunks(path, { after_sequence: after }, waiting, signal));
    for await (const page of lines) yield page.map(acceptedEntry);
  }

  async *dump(signal?: AbortSignal): AsyncGenerator<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for await (const chunk of this.#connection.chunks({ path: 'v1/admin/dump' }, signal)) {
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  }

  /** Waits for the outcome for a minute at most. All events travel in one request. */
  async publish({ events, until, timeout, signal }: PublishRequest): Promise<readonly PublishResult[]> {
    const query = { wait: until, timeout_ms: Math.min(timeout, longestWait) };
    try {
      const body = eventBody(events);
      return resultsOf(await this.#connection.json({ method: 'POST', path: 'v1/commands', query, body }, signal));
    } catch (error) {
      // Over HTTP a dead letter is an error; here it is one of the outcomes.
      if (error instanceof Problem && error.code === 'DEAD_LETTERED') return resultsOf(error.members);
      throw error;
    }
  }

  async listDeadLetters({ session, reason, state, after, limit }: DeadLetterQuery): Promise<DeadLetterPage> {
    const query = { session, reason, state, after, limit: pageLimit(limit) };
    return await this.#get<DeadLetterPage>('v1/admin/dead-letters', query);
  }

  async showDeadLetter(id: FiledId, session: SessionId | undefined): Promise<DeadLetterDetail> {
    return await this.#get<DeadLetterDetail>(`v1/admin/dead-letters/${encodeURIComponent(id)}`, { session });
  }

  async skip({ session, sequence, by, reason }: SkipRequest): Promise<PublishResult> {
    const path = actionPath(session, 'skip');
    return await this.#post<PublishResult>(path, { sequence, by, reason });
  }

  async repair({ session, sequence, type, data }: RepairRequest): Promise<PublishResult> {
    const path = actionPath(session, 'repair');
    const body = { type: 'application/octet-stream', bytes: data };
    const result = await this.#connection.json({ method: 'POST', path, query: { sequence, type }, body });
    return result as PublishResult;
  }

  async status(): Promise<ServiceStatus> {
    return await this.#get<ServiceStatus>('v1/admin/status');
  }

  async backup(name: string): Promise<BackupSummary> {
    return await this.#post<BackupSummary>('v1/admin/backups', { name }, { isLong: true });
  }

  /** Which of the given dead letters and decisions the store holds, in their order. */
  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    const asked = keys.map(({ session, id }) => ({ session: session ?? null, id }));
    const { filed } = await this.#post<{ readonly filed: readonly boolean[] }>('v1/filed', { keys: asked });
    return filed;
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // The service and this client are of one project: what it answers in JSON is taken to be of the shape agreed on.
  async #get<Answer>(path: string, query?: Request['query']): Promise<Answer> {
    const request = query === undefined ? { path } : { path, query };
    return (await this.#connection.json(request)) as Answer;
  }

  async #post<Answer>(path: string, content: unknown, how: Pick<Request, 'isLong'> = {}): Promise<Answer> {
    const body = { type: 'application/json', bytes: Buffer.from(JSON.stringify(content), 'utf8') };
    return (await this.#connection.json({ method: 'POST', path, body, ...how })) as Answer;
  }

  #document(path: string, waiting: Waiting | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return waited(waiting, (query) => this.#connection.bytes({ path, query }, signal));
  }

  async *#waitedChunks(
    path: string,
    query: NonNullable<Request['query']>,
    waiting: Waiting | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const { first, chunks } = await waited(waiting, async (waitingQuery) => {
      const chunks = this.#connection.chunks({ path, query: { ...query, ...waitingQuery } }, signal);
      return { first: await chunks.next(), chunks };
    });
    try {
      if (first.done === true) return;
      yield first.value;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  }
}

/** A page may be shorter than asked for; longer than this the service makes none. */
function pageLimit(limit: number): number {
  return Math.min(limit, longestPage);
}

function resultsOf(answer: unknown): readonly PublishResult[] {
  const results: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'results') : undefined;
  if (Array.isArray(results)) return results;
  throw new PersistenceError('UNEXPECTED', 'the service answered without saying what became of the events');
}
