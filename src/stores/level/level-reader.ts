import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { decodeFiled } from '../../domain/encoding/filed.ts';
import { decodeParkedCommand, decodeParkedHeader } from '../../domain/encoding/parked.ts';
import { decodeStoredPosition } from '../../domain/encoding/position.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, SourceId, StoredPosition } from '../../domain/plan.ts';
import { checkedLimit } from '../../ports/log-range.ts';
import type { FiledKey, Page } from '../../ports/store.ts';
import { missingParked } from '../plan-checks.ts';
import type { Database } from './database.ts';
import { filedKey, kindRange, parkedKey, parseCursorKey, parsePositionKey, sessionKey, sessionRange } from './keys.ts';

const scannedAtOnce = 1_000;

/** Reads records of an open database; what the library throws is passed on. */
export class LevelReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async cursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const found = await this.#database.getMany(sessions.map((session) => sessionKey('cursor', session)));
    return found.map((bytes) => (bytes === undefined ? undefined : decodeCursor(bytes)));
  }

  async parkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    const found = await this.#database.values(sessionRange('parkedHeader', session)).all();
    return found.map(decodeParkedHeader);
  }

  async parked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    const keys = sequences.map((sequence) => parkedKey('parkedCommand', session, sequence));
    const found = await this.#database.getMany(keys);
    return sequences.map((sequence, index) => {
      const bytes = found[index];
      if (bytes === undefined) throw missingParked(session, sequence);
      return decodeParkedCommand(bytes);
    });
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    if (keys.length === 0) return [];
    return await this.#database.hasMany(keys.map(({ session, id }) => filedKey(session, id)));
  }

  async filed(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    const limit = checkedLimit(page.limit);
    const { gte, lt } = session === undefined ? kindRange('filed') : sessionRange('filed', session);
    const after = page.after === undefined ? gte : filedKey(page.after.session, page.after.id);
    // No key equals the start of its range, so excluding that loses nothing.
    const gt = Buffer.compare(after, gte) > 0 ? after : gte;
    const found = await this.#database.values({ gt, lt, limit }).all();
    return found.map(decodeFiled);
  }

  /** All stored positions by source and partition. */
  async positions(): Promise<Map<SourceId, Map<number, StoredPosition>>> {
    const positions = new Map<SourceId, Map<number, StoredPosition>>();
    for await (const [key, value] of this.#database.iterator(kindRange('position'))) {
      const { source, partition } = parsePositionKey(key);
      const partitions = positions.get(source) ?? new Map<number, StoredPosition>();
      positions.set(source, partitions.set(partition, decodeStoredPosition(value)));
    }
    return positions;
  }

  /** Sessions and cursors in order, those that `accept` takes. */
  async cursorPage(
    page: Page<SessionId>,
    accept: (cursor: Cursor) => boolean,
  ): Promise<readonly (readonly [SessionId, Cursor])[]> {
    const limit = checkedLimit(page.limit);
    const { gte, lt } = kindRange('cursor');
    const accepted: (readonly [SessionId, Cursor])[] = [];
    const iterator = this.#database.iterator({
      gt: page.after === undefined ? gte : sessionKey('cursor', page.after),
      lt,
    });
    try {
      while (accepted.length < limit) {
        const found = await iterator.nextv(Math.min(scannedAtOnce, limit));
        if (found.length === 0) break;
        for (const [key, value] of found) {
          const cursor = decodeCursor(value);
          if (accept(cursor) && accepted.length < limit) accepted.push([parseCursorKey(key), cursor]);
        }
      }
    } finally {
      await iterator.close();
    }
    return accepted;
  }
}
