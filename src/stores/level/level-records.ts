import type { Key } from '../../embedded-store/record-keys.ts';
import type { RecordRange, Records } from '../../embedded-store/records.ts';
import type { Database } from './database.ts';

const pageRecords = 1_000;

/** The records of an open database; what the library throws is passed on. */
export class LevelRecords implements Records {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  getMany(keys: readonly Key[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#database.getMany([...keys]);
  }

  hasMany(keys: readonly Key[]): Promise<readonly boolean[]> {
    return this.#database.hasMany([...keys]);
  }

  async *pages({ gt, lt, limit = -1, ...range }: RecordRange): AsyncGenerator<readonly (readonly [Key, Uint8Array])[]> {
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
