import type { Cursor } from '../../domain/cursor.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type { ParkedCommand } from '../../domain/plan.ts';
import { resolveLogRange } from '../../ports/log-range.ts';
import type { LogRange, SessionView } from '../../ports/store.ts';
import { viewClosed } from '../plan-checks.ts';
import { ownedBytes } from './contents.ts';

/** Everything the store keeps of one session. Replaced whole and never changed, so a view only has to hold it. */
export interface StoredSession {
  readonly cursor: Cursor;
  readonly log: readonly Uint8Array[];
  readonly snapshot: Uint8Array | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly anchor: Uint8Array | undefined;
  readonly parked: ReadonlyMap<Sequence, ParkedCommand>;
}

const pageEntries = 1_000;
const pageBytes = 256 * 1024;

export class MemorySessionView implements SessionView {
  readonly session: SessionId;
  readonly #stored: StoredSession;
  readonly #assertStoreOpen: () => void;
  #closed = false;

  constructor(session: SessionId, stored: StoredSession, assertStoreOpen: () => void) {
    this.session = session;
    this.#stored = stored;
    this.#assertStoreOpen = assertStoreOpen;
  }

  get cursor(): Cursor {
    return this.#stored.cursor;
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#read(this.#stored.snapshot);
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#read(this.#stored.receipt);
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#read(this.#stored.anchor);
  }

  log(range: LogRange = {}): AsyncIterable<readonly Uint8Array[]> {
    const { from, to } = resolveLogRange(range, this.#stored.log.length);
    return this.#pages(from, to);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#pages(from: number, to: number): AsyncGenerator<readonly Uint8Array[]> {
    let page: Uint8Array[] = [];
    let bytes = 0;
    for (const entry of this.#stored.log.slice(from, to)) {
      this.#assertOpen();
      page.push(ownedBytes(entry));
      bytes += entry.length;
      if (bytes < pageBytes && page.length < pageEntries) continue;
      yield page;
      page = [];
      bytes = 0;
    }
    if (page.length > 0) yield page;
  }

  async #read(value: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return value === undefined ? undefined : ownedBytes(value);
  }

  #assertOpen(): void {
    this.#assertStoreOpen();
    if (this.#closed) throw viewClosed(this.session);
  }
}
