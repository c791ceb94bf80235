import type { Database } from './database.ts';

const pageRecords = 1_000;

/** Keys between `gt` and `lt`, at most `limit` of them, at most `pageRecords` a page. */
interface RecordRange {
  readonly gt: Uint8Array;
  readonly lt: Uint8Array;
  readonly limit?: number | undefined;
  readonly pageRecords?: number | undefined;
}

/** The records of an open database; what the library throws is passed on. */
export class LevelRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#database.getMany([...keys]);
  }

  hasMany(keys: readonly Uint8Array[]): Promise<readonly boolean[]> {
    return this.#database.hasMany([...keys]);
  }

  async *pages({
    gt,
    lt,
    limit = -1,
    ...range
  }: RecordRange): AsyncGenerator<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const most = Math.min(pageRecords, range.pageRecords ?? pageRecords);
    const iterator = this.#database.iterator({ gt, lt, limit });
    try {
      for (;;) {
        const page = await iterator.nextv(most);
        if (page.length === 0) return;
        yield page;
      }
    } finally {
      await iterator.close();
    }
  }
}
