import type { Cursor } from '../domain/cursor.ts';
import { decodeCursor } from '../domain/encoding/cursor.ts';
import { decodeFiled } from '../domain/encoding/filed.ts';
import { decodeParkedCommand, decodeParkedHeader } from '../domain/encoding/parked.ts';
import { decodeStoredPosition } from '../domain/encoding/position.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, SourceId, StoredPosition } from '../domain/plan.ts';
import { checkedLimit } from '../ports/log-range.ts';
import type { FiledKey, Page } from '../ports/store.ts';
import { missingParked } from '../stores/plan-checks.ts';
import {
  cursorKey,
  filedKey,
  kindRange,
  parkedKey,
  parseCursorKey,
  parsePositionKey,
  sessionRange,
} from './record-keys.ts';
import type { RecordRange, Records } from './records.ts';

/** Reads a store's own records; what the engine throws is passed on. */
export class RecordReader {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async cursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const found = await this.#records.getMany(sessions.map(cursorKey));
    return found.map((bytes) => (bytes === undefined ? undefined : decodeCursor(bytes)));
  }

  async parkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    return (await this.#values(sessionRange('parkedHeader', session))).map(decodeParkedHeader);
  }

  async parked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    const keys = sequences.map((sequence) => parkedKey('parkedCommand', session, sequence));
    const found = await this.#records.getMany(keys);
    return sequences.map((sequence, index) => {
      const bytes = found[index];
      if (bytes === undefined) throw missingParked(session, sequence);
      return decodeParkedCommand(bytes);
    });
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    if (keys.length === 0) return [];
    return await this.#records.hasMany(keys.map(({ session, id }) => filedKey(session, id)));
  }

  async filed(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    const limit = checkedLimit(page.limit);
    const { gt, lt } = session === undefined ? kindRange('filed') : sessionRange('filed', session);
    const after = page.after === undefined ? gt : filedKey(page.after.session, page.after.id);
    return (await this.#values({ gt: Buffer.compare(after, gt) > 0 ? after : gt, lt, limit })).map(decodeFiled);
  }

  /** All stored positions by source and partition. */
  async positions(): Promise<Map<SourceId, Map<number, StoredPosition>>> {
    const positions = new Map<SourceId, Map<number, StoredPosition>>();
    for await (const page of this.#records.pages(kindRange('position'))) {
      for (const [key, value] of page) {
        const { source, partition } = parsePositionKey(key);
        const partitions = positions.get(source) ?? new Map<number, StoredPosition>();
        positions.set(source, partitions.set(partition, decodeStoredPosition(value)));
      }
    }
    return positions;
  }

  /** Sessions and cursors in order, those that `accept` takes. */
  async cursorPage(
    page: Page<SessionId>,
    accept: (cursor: Cursor) => boolean,
  ): Promise<readonly (readonly [SessionId, Cursor])[]> {
    const limit = checkedLimit(page.limit);
    const { gt, lt } = kindRange('cursor');
    const accepted: (readonly [SessionId, Cursor])[] = [];
    const range = { gt: page.after === undefined ? gt : cursorKey(page.after), lt, pageRecords: limit };
    for await (const found of this.#records.pages(range)) {
      for (const [key, value] of found) {
        const cursor = decodeCursor(value);
        if (!accept(cursor)) continue;
        accepted.push([parseCursorKey(key), cursor]);
        if (accepted.length === limit) return accepted;
      }
    }
    return accepted;
  }

  async #values(range: RecordRange): Promise<readonly Uint8Array[]> {
    const values: Uint8Array[] = [];
    for await (const page of this.#records.pages(range)) for (const [, value] of page) values.push(value);
    return values;
  }
}
