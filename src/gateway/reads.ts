import type { SessionId } from '../domain/identifiers.ts';
import type { RedisReply } from '../ports/redis-peer.ts';
import type { SessionView, Store } from '../ports/store.ts';
import type { DocumentKind } from './keys.ts';
import { LogChunks, type OpenLogs } from './log-chunks.ts';
import { ordinalsOf } from './log-range.ts';
import type { ExistingKey, Read } from './operations.ts';
import { integer, nothing } from './replies.ts';
import { documentsOf } from './written-session.ts';

const noEntries: RedisReply = { kind: 'array', items: [] };

/** Answers reads from the store, as it is now. */
export class Reads {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** `open`: where a log is listed while it is sent. */
  answer(read: Exclude<Read, { readonly kind: 'list' }>, open: OpenLogs): Promise<RedisReply> {
    switch (read.kind) {
      case 'get':
        return this.#get(read.session, read.document);
      case 'range':
        return this.#range(read, open);
      case 'exists':
        return this.#exists(read.keys);
    }
  }

  async #get(session: SessionId, document: Exclude<DocumentKind, 'log'>): Promise<RedisReply> {
    await using view = await this.#store.openSession(session);
    const bytes = view === undefined ? undefined : await readDocument(view, document);
    return bytes === undefined ? nothing : { kind: 'bulk', bytes };
  }

  /** The view stays open until its entries are sent, or whoever sends them gives up. */
  async #range(
    { session, start, stop }: Extract<Read, { readonly kind: 'range' }>,
    open: OpenLogs,
  ): Promise<RedisReply> {
    const view = await this.#store.openSession(session, 'log');
    if (view === undefined) return noEntries;
    const range = ordinalsOf(start, stop, view.cursor.entries);
    const count = range.to - range.from;
    if (count > 0) return { kind: 'stream', of: 'array', count, chunks: new LogChunks(view, range, open) };
    await view.close();
    return noEntries;
  }

  async #exists(keys: readonly ExistingKey[]): Promise<RedisReply> {
    let count = 0;
    for (const key of keys) if (await this.#has(key)) count += 1;
    return integer(count);
  }

  async #has(key: ExistingKey): Promise<boolean> {
    if (key.kind === 'index') return (await this.#store.listSessions({ limit: 1 })).length > 0;
    await using view = await this.#store.openSession(key.session);
    return view !== undefined && (await documentsOf(view)).has(key.kind);
  }
}

function readDocument(view: SessionView, document: Exclude<DocumentKind, 'log'>): Promise<Uint8Array | undefined> {
  switch (document) {
    case 'session':
      return view.snapshot();
    case 'receipt':
      return view.receipt();
    case 'anchor':
      return view.anchor();
  }
}
