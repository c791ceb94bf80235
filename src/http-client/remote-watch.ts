import { type Cursor, initialCursor } from '../domain/cursor.ts';
import { isPersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { FiledKey } from '../ports/store.ts';
import { inParts } from './in-parts.ts';
import type { RemoteService } from './remote-service.ts';

const requestsAtOnce = 16;
const keysAtOnce = 1_000;
/** Milliseconds of one long poll: below what proxies commonly allow an answer to take. */
const pollTimeout = 30_000;

/**
 * Watches sessions through the service that has them open. A service that does not answer rejects every wait with
 * `SERVICE_UNAVAILABLE`, which whoever waits patiently tries again. Telling decisions from dead letters takes the scope
 * `admin`.
 */
export class RemoteWatch implements SessionWatch {
  readonly #service: RemoteService;

  /** The service belongs to whoever connected to it. */
  constructor(service: RemoteService) {
    this.#service = service;
  }

  async cursors(sessions: readonly SessionId[]): Promise<readonly Cursor[]> {
    const cursors: Cursor[] = sessions.map(() => initialCursor);
    const open = sessions.entries();
    // Each takes the next session from the same iterator, so that no more than so many are asked for at a time.
    const ask = async (): Promise<void> => {
      for (const [index, session] of open) cursors[index] = await this.#cursor(session);
    };
    await Promise.all(Array.from({ length: Math.min(requestsAtOnce, sessions.length) }, ask));
    return cursors;
  }

  async changed(session: SessionId, version: number, signal?: AbortSignal): Promise<Cursor> {
    for (;;) {
      try {
        return await this.#service.cursor(session, { version, timeout: pollTimeout }, signal);
      } catch (error) {
        if (!isPersistenceError(error, 'NOT_YET_APPLIED')) throw error;
      }
    }
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    const filed: boolean[] = [];
    for (let start = 0; start < keys.length; start += keysAtOnce) {
      const page = keys.slice(start, start + keysAtOnce);
      filed.push(...(await inParts(page, (part) => this.#service.areFiled(part))));
    }
    return filed;
  }

  async isDecision(key: FiledKey): Promise<boolean> {
    const [isFiled] = await this.areFiled([key]);
    if (isFiled !== true) return false;
    try {
      await this.#service.showDeadLetter(key.id, key.session);
      return false;
    } catch (error) {
      if (isPersistenceError(error, 'NOT_STORED')) return true;
      throw error;
    }
  }

  async #cursor(session: SessionId): Promise<Cursor> {
    try {
      return await this.#service.cursor(session);
    } catch (error) {
      if (isPersistenceError(error, 'SESSION_NOT_FOUND')) return initialCursor;
      throw error;
    }
  }
}
