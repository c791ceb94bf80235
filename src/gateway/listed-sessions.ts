import type { SessionId } from '../domain/identifiers.ts';
import type { QueueEnds } from '../publisher/until-caught-up.ts';
import type { SessionReader } from '../read-side/session-reader.ts';

/**
 * The list of all sessions. Of hundreds of thousands it takes longer to make than a client waits: what was begun is
 * finished, and kept for whoever lists in the next reign, unless something was written to the queue since.
 */
export class ListedSessions {
  readonly #reader: SessionReader;
  #kept: Promise<readonly SessionId[]> | undefined;
  /** Which reign it is, and in which one the list was given: whoever asks again there wants to know what has changed. */
  #reign = 0;
  #givenIn = -1;
  /** Where the queue ended when the present reign began. */
  #ends: QueueEnds = new Map();

  constructor(reader: SessionReader) {
    this.#reader = reader;
  }

  /** A reign begins, in which everything is applied that the queue held up to these ends. */
  begin(ends: QueueEnds): void {
    const isUnchanged = ends.size === this.#ends.size && [...ends].every(([one, end]) => this.#ends.get(one) === end);
    if (!isUnchanged) this.changed();
    this.#ends = ends;
    this.#reign += 1;
  }

  /** Something is about to be written: what was listed before is out of date. */
  changed(): void {
    this.#kept = undefined;
    this.#givenIn = -1;
  }

  /** All sessions that exist, in UTF-8 byte order. Who asks while they are being listed gets the same list. */
  async get(): Promise<readonly SessionId[]> {
    const reign = this.#reign;
    if (this.#givenIn === reign) this.changed();
    this.#kept ??= this.#list();
    const kept = this.#kept;
    try {
      const sessions = await kept;
      if (this.#kept === kept) this.#givenIn = reign;
      return sessions;
    } catch (error) {
      if (this.#kept === kept) this.changed();
      throw error;
    }
  }

  async #list(): Promise<readonly SessionId[]> {
    const sessions: SessionId[] = [];
    for await (const page of this.#reader.sessionPages()) sessions.push(...page);
    return sessions;
  }
}
