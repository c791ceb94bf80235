import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { type OrdinalRange, resolveLogRange } from '../../ports/log-range.ts';
import type { LogRange, SessionView, ViewUse } from '../../ports/store.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { bytesOf, listOf } from '../../redis/replies.ts';
import { viewClosed } from '../plan-checks.ts';
import { type Bucket, largeBytes } from './keys.ts';
import { logPageScript, openViewScript } from './read-scripts.ts';

/** Runs a read, and says what its failure means. */
export type Guard = <Value>(read: (connection: RedisConnection) => Promise<Value>) => Promise<Value>;

/** What a session keeps beside its log, as of the moment at which the view was opened. */
interface Documents {
  readonly snapshot: Uint8Array | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly anchor: Uint8Array | undefined;
}

/** The session as it is now, or undefined when it does not exist. */
export async function openView(
  bucket: Bucket,
  session: SessionId,
  use: ViewUse,
  guard: Guard,
): Promise<SessionView | undefined> {
  const documentKeys = [bucket.session(session), bucket.receipt(session), bucket.anchor(session)];
  const keys = [bucket.cursors, ...(use === 'log' ? [] : documentKeys)];
  const { reply } = await guard((connection) => connection.script(openViewScript, keys, [session]));
  const [bytes, ...found] = listOf(reply).map(bytesOf);
  if (bytes === undefined) return undefined;
  const cursor = decodeCursor(bytes);
  if (cursor.presence !== 'known') return undefined;
  const [snapshot, receipt, anchor] = found.map((document) => document && new Uint8Array(document));
  const documents = use === 'log' ? undefined : { snapshot, receipt, anchor };
  return new RedisSessionView(session, cursor, documents, bucket, guard);
}

/** One session as of one moment: what may change was read then, and entries of a log never change. */
class RedisSessionView implements SessionView {
  readonly session: SessionId;
  readonly cursor: Cursor;
  readonly #documents: Documents | undefined;
  readonly #bucket: Bucket;
  readonly #guard: Guard;
  #closed = false;

  /** `documents`: undefined for the log alone. */
  constructor(session: SessionId, cursor: Cursor, documents: Documents | undefined, bucket: Bucket, guard: Guard) {
    this.session = session;
    this.cursor = cursor;
    this.#documents = documents;
    this.#bucket = bucket;
    this.#guard = guard;
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#document('snapshot');
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#document('receipt');
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#document('anchor');
  }

  /**
   * See {@link SessionView.log}. A log that lacks an entry ends with `STORE_CORRUPT`, one that was replaced longer ago
   * than such logs are kept with `VIEW_EXPIRED`.
   */
  log(range: LogRange = {}): AsyncIterable<readonly Uint8Array[]> {
    return this.#pages(resolveLogRange(range, this.cursor.entries));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#pages({ from, to }: OrdinalRange): AsyncGenerator<readonly Uint8Array[]> {
    for (let ordinal = from; ordinal < to; ) {
      const page = await this.#page(ordinal, to - ordinal);
      if (page.length === 0) throw this.#incomplete(to - ordinal);
      ordinal += page.length;
      yield page;
    }
  }

  async #page(ordinal: number, most: number): Promise<readonly Uint8Array[]> {
    const { session, cursor } = this;
    const { generations, largest, log, replacedLog } = this.#bucket;
    const keys = [generations, log(session), replacedLog(session, cursor.generation), largest];
    const args = [session, ...[cursor.generation, ordinal, most, largeBytes].map(String)];
    const { reply } = await this.#read((connection) => connection.script(logPageScript, keys, args));
    if (reply === null) throw this.#expired();
    return listOf(reply).map((entry) => bytesOf(entry) ?? new Uint8Array());
  }

  #document(name: keyof Documents): Promise<Uint8Array | undefined> {
    return this.#read(async () => {
      if (this.#documents === undefined) throw new TypeError('a view of the log has no documents');
      return this.#documents[name];
    });
  }

  #read<Value>(read: (connection: RedisConnection) => Promise<Value>): Promise<Value> {
    return this.#guard(async (connection) => {
      if (this.#closed) throw viewClosed(this.session);
      return await read(connection);
    });
  }

  #incomplete(missing: number): PersistenceError {
    const name = JSON.stringify(this.session);
    return new PersistenceError('STORE_CORRUPT', `the log of session ${name} lacks ${missing} entries`);
  }

  #expired(): PersistenceError {
    const name = JSON.stringify(this.session);
    return new PersistenceError('VIEW_EXPIRED', `the log of session ${name} was replaced while it was read`);
  }
}
