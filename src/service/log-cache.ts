import type { SessionId } from '../domain/identifiers.ts';
import { keepAsLines } from '../domain/joined-lines.ts';

/** The first entries of one generation of a log: they never change, there are only more of them later. */
export interface CachedLog {
  readonly generation: number;
  readonly entries: readonly Uint8Array[];
}

/** What an entry costs besides its bytes, its line feed included. */
const overhead = 200;

/**
 * The logs that were read most recently, within a bound of memory. What is here is never out of date: a log that is
 * replaced or deleted goes on under another generation, and how many entries it has now is for the cursor to say. They
 * are kept as the lines that they are mostly sent as.
 */
export class LogCache {
  readonly #mostBytes: number;
  readonly #mostBytesOfOne: number;
  /** The one that was read longest ago first. */
  readonly #logs = new Map<SessionId, CachedLog & { readonly bytes: number }>();
  #bytes = 0;

  /** `mostBytes` for all logs together; one that takes more than a sixteenth of it is not kept. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
    this.#mostBytesOfOne = mostBytes / 16;
  }

  get(session: SessionId): CachedLog | undefined {
    const found = this.#logs.get(session);
    if (found === undefined) return undefined;
    this.#logs.delete(session);
    this.#logs.set(session, found);
    return found;
  }

  /** Keeps the log, unless it is too large. Returns its entries, to be used from now on: they may be its own now. */
  put(session: SessionId, { generation, entries }: CachedLog): readonly Uint8Array[] {
    const bytes = entries.reduce((sum, entry) => sum + entry.byteLength + overhead, overhead);
    this.#remove(session);
    if (bytes > this.#mostBytesOfOne) return entries;
    const kept = keepAsLines(entries);
    this.#logs.set(session, { generation, entries: kept, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#logs.keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#remove(oldest);
    }
    return kept;
  }

  #remove(session: SessionId): void {
    this.#bytes -= this.#logs.get(session)?.bytes ?? 0;
    this.#logs.delete(session);
  }
}
