import type { Key } from '../../embedded-store/record-keys.ts';
import type { RecordRange, Records } from '../../embedded-store/records.ts';
import type { DatabaseSnapshot, RocksDatabase } from './database.ts';

const pageRecords = 1_000;
const pageBytes = 256 * 1024;

/** The store's own records, in the family `default`. */
export class RocksdbRecords implements Records {
  readonly #database: RocksDatabase;

  constructor(database: RocksDatabase) {
    this.#database = database;
  }

  getMany(keys: readonly Key[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#database.getMany('default', keys);
  }

  async hasMany(keys: readonly Key[]): Promise<readonly boolean[]> {
    return (await this.getMany(keys)).map((value) => value !== undefined);
  }

  async *pages(range: RecordRange): AsyncGenerator<readonly (readonly [Key, Uint8Array])[]> {
    const snapshot = await this.#database.takeSnapshot();
    try {
      yield* pagesAsOf(this.#database, snapshot, range);
    } finally {
      await this.#database.releaseSnapshot(snapshot);
    }
  }
}

async function* pagesAsOf(
  database: RocksDatabase,
  snapshot: DatabaseSnapshot,
  { gt, lt, limit = Number.POSITIVE_INFINITY, ...range }: RecordRange,
): AsyncGenerator<readonly (readonly [Key, Uint8Array])[]> {
  const most = Math.min(pageRecords, range.pageRecords ?? pageRecords);
  let left = limit;
  let after = gt;
  while (left > 0) {
    const size = { records: Math.min(most, left), bytes: pageBytes };
    const page = await database.records({ family: 'default', from: next(after), to: lt }, size, snapshot);
    const last = page.records.at(-1);
    if (last === undefined) return;
    yield page.records;
    if (page.isLast) return;
    [after] = last;
    left -= page.records.length;
  }
}

/** The key that follows `key` at once. */
export function next(key: Key): Key {
  return Buffer.concat([key, Buffer.of(0)]);
}
