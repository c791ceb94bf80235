import { type Cursor, initialCursor } from '../domain/cursor.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { SessionChange } from '../domain/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { FiledKey, Store } from '../ports/store.ts';
import { readFiledRecord } from './filed-record.ts';

export interface StoreWatchOptions {
  readonly store: Pick<Store, 'readCursors' | 'areFiled' | 'readFiled'>;
  readonly clock: Clock;
  /**
   * True where other processes commit as well: waited-for sessions are then read again and again, all together. False
   * where every commit is noted with {@link StoreWatch.noteCommitted}: each session is read once, when a wait begins.
   */
  readonly polls: boolean;
}

/** Somebody who waits for a session's version to rise above `version`. */
interface Waiter {
  readonly version: number;
  resolve(cursor: Cursor): void;
  reject(error: unknown): void;
}

const readAtOnce = 1_000;
/** Milliseconds between two polls, and between two attempts while the store is down. */
const shortestPause = 1;
const longestPause = 50;
const longestRetryPause = 2_000;

/**
 * Watches sessions through an open store, which belongs to whoever opened it. A wait enters the list of waiters before
 * its session is read, so that a commit is either seen by that read or noted afterwards. Sessions are read in one
 * batch after another by a single loop, which runs only while there is something to read.
 */
export class StoreWatch implements SessionWatch, AsyncDisposable {
  readonly #options: StoreWatchOptions;
  readonly #waiting = new Map<SessionId, Set<Waiter>>();
  /** Waited-for sessions that are to be read next. */
  readonly #unread = new Set<SessionId>();
  readonly #closing = new AbortController();
  #reading: Promise<void> | undefined;
  #pause = shortestPause;
  /** Ends the present pause of the polling early. */
  #pausing = new AbortController();

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** How many waits are under way. */
  get waiters(): number {
    let count = 0;
    for (const waiters of this.#waiting.values()) count += waiters.size;
    return count;
  }

  async cursors(sessions: readonly SessionId[]): Promise<readonly Cursor[]> {
    const found = await this.#options.store.readCursors(sessions);
    return sessions.map((_, index) => found[index] ?? initialCursor);
  }

  areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    return this.#options.store.areFiled(keys);
  }

  async isDecision(key: FiledKey): Promise<boolean> {
    return (await readFiledRecord(this.#options.store, key))?.kind === 'decision';
  }

  /** See {@link SessionWatch.changed}. A store that is down is waited for. Rejects with `SERVICE_UNAVAILABLE` on close. */
  changed(session: SessionId, version: number, signal?: AbortSignal): Promise<Cursor> {
    return new Promise((resolve, reject) => {
      if (this.#closing.signal.aborted) return reject(closed());
      if (signal?.aborted) return reject(aborted());
      const leave = (): void => {
        signal?.removeEventListener('abort', abort);
        this.#leave(session, waiter);
      };
      const waiter: Waiter = {
        version,
        resolve: (cursor) => {
          leave();
          resolve(cursor);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => waiter.reject(aborted());
      signal?.addEventListener('abort', abort, { once: true });
      this.#enter(session, waiter);
    });
  }

  /** To be told of every durable commit, in order; wakes whoever waits for one of its sessions. */
  noteCommitted(changes: readonly Pick<SessionChange, 'session' | 'after'>[]): void {
    if (this.#waiting.size === 0) return;
    for (const { session, after } of changes) this.#note(session, after);
  }

  /** Rejects all waits and ends reading. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#pausing.abort();
    this.#rejectAll(this.#waiting.keys(), closed());
    await this.#reading;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enter(session: SessionId, waiter: Waiter): void {
    const waiters = this.#waiting.get(session);
    if (waiters === undefined) this.#waiting.set(session, new Set([waiter]));
    else waiters.add(waiter);
    this.#unread.add(session);
    if (this.#pause > shortestPause) {
      this.#pause = shortestPause;
      this.#pausing.abort();
    }
    this.#reading ??= this.#read();
  }

  #leave(session: SessionId, waiter: Waiter): void {
    const waiters = this.#waiting.get(session);
    waiters?.delete(waiter);
    if (waiters?.size !== 0) return;
    this.#waiting.delete(session);
    this.#unread.delete(session);
    if (this.#waiting.size === 0) this.#pausing.abort();
  }

  #note(session: SessionId, cursor: Cursor): void {
    const waiters = this.#waiting.get(session);
    if (waiters === undefined) return;
    for (const waiter of waiters) if (cursor.version > waiter.version) waiter.resolve(cursor);
  }

  #rejectAll(sessions: Iterable<SessionId>, error: unknown): void {
    for (const session of sessions) for (const waiter of this.#waiting.get(session) ?? []) waiter.reject(error);
  }

  /** Reads what is unread, batch by batch, until there is nothing more to read. */
  async #read(): Promise<void> {
    // Those who begin to wait in the same turn are read together.
    await Promise.resolve();
    let retryPause = shortestPause;
    while (!this.#closing.signal.aborted) {
      if (this.#unread.size > 0) {
        if (await this.#readNext()) retryPause = shortestPause;
        else {
          await this.#sleep(retryPause, this.#closing.signal);
          retryPause = Math.min(longestRetryPause, retryPause * 2);
        }
      } else if (this.#options.polls && this.#waiting.size > 0) await this.#untilNextPoll();
      else break;
    }
    // Nothing was awaited since nothing was found to be left: whoever enters from now on starts anew.
    this.#reading = undefined;
  }

  /** Reads a batch. False when the store is down at present. */
  async #readNext(): Promise<boolean> {
    const sessions = [...this.#takeUnread()];
    try {
      const cursors = await this.cursors(sessions);
      for (const [index, session] of sessions.entries()) this.#note(session, cursors[index] ?? initialCursor);
    } catch (error) {
      if (isPersistenceError(error) && error.retryable) {
        for (const session of sessions) if (this.#waiting.has(session)) this.#unread.add(session);
        return false;
      }
      this.#rejectAll(sessions, error);
    }
    return true;
  }

  /** After a pause all waited-for sessions are unread again; earlier only those that somebody began to wait for. */
  async #untilNextPoll(): Promise<void> {
    this.#pausing = new AbortController();
    await this.#sleep(this.#pause, this.#pausing.signal);
    if (this.#pausing.signal.aborted) return;
    this.#pause = Math.min(longestPause, this.#pause * 2);
    for (const session of this.#waiting.keys()) this.#unread.add(session);
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(milliseconds, signal);
    } catch (error) {
      if (!isPersistenceError(error, 'ABORTED')) throw error;
    }
  }

  *#takeUnread(): Generator<SessionId> {
    let taken = 0;
    for (const session of this.#unread) {
      if (taken === readAtOnce) return;
      taken += 1;
      this.#unread.delete(session);
      yield session;
    }
  }
}

function aborted(): PersistenceError {
  return new PersistenceError('ABORTED', 'the wait for a session was given up');
}

function closed(): PersistenceError {
  return new PersistenceError('SERVICE_UNAVAILABLE', 'sessions are no longer watched: the service is stopping');
}
