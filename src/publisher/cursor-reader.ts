import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { patiently } from './patiently.ts';

interface Asked {
  readonly session: SessionId;
  resolve(cursor: Cursor): void;
  reject(error: unknown): void;
}

/** Most sessions that are asked for together. */
const readAtOnce = 1_000;
const longestPause = 50;

/** Learns where sessions stand. A watch that does not answer at present is waited for. */
export class CursorReader {
  readonly #watch: SessionWatch;
  readonly #clock: Clock;
  #asked: Asked[] = [];

  constructor(watch: SessionWatch, clock: Clock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  /** The session's cursor as of now. Sessions that are asked for in the same turn are read together. */
  read(session: SessionId, signal: AbortSignal): Promise<Cursor> {
    return patiently(() => this.#ask(session), this.#clock, signal);
  }

  /**
   * The session's first cursor, of those that are looked at, that `isReached` holds for. A session that changes with
   * every commit is looked at more and more seldom: reading it each time would slow down whoever commits.
   */
  async until(session: SessionId, isReached: (cursor: Cursor) => boolean, signal: AbortSignal): Promise<Cursor> {
    let cursor = await this.read(session, signal);
    for (let pause = 1; !isReached(cursor); pause = Math.min(longestPause, pause * 2)) {
      await this.#clock.sleep(pause, signal);
      cursor = await this.next(session, cursor, signal);
    }
    return cursor;
  }

  /** The session's cursor once it is a later one than `cursor`. */
  next(session: SessionId, { version }: Cursor, signal: AbortSignal): Promise<Cursor> {
    return patiently(() => this.#watch.changed(session, version, signal), this.#clock, signal);
  }

  #ask(session: SessionId): Promise<Cursor> {
    return new Promise((resolve, reject) => {
      // Whoever asks in the same turn is read with the first one.
      if (this.#asked.length === 0) queueMicrotask(() => this.#readAll());
      this.#asked.push({ session, resolve, reject });
    });
  }

  #readAll(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let start = 0; start < asked.length; start += readAtOnce)
      void this.#read(asked.slice(start, start + readAtOnce));
  }

  async #read(asked: readonly Asked[]): Promise<void> {
    try {
      const cursors = await this.#watch.cursors(asked.map(({ session }) => session));
      for (const [index, { resolve, reject }] of asked.entries()) {
        const cursor = cursors[index];
        if (cursor === undefined) reject(new TypeError('a watch answers with a cursor for every session'));
        else resolve(cursor);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
