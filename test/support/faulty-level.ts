import type { Database, OpenDatabase } from '../../src/level/database.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import type { SharedFileSystem } from '../../src/ports/file-system.ts';
import { openClassicLevel } from '../../src/stores/level/database.ts';

interface WritableBatch {
  _write(options: object): Promise<void>;
}

/** What the next writes of a database do instead of succeeding, and what was asked of it. */
export class Faults {
  /** The text LevelDB reports for the next commits; undefined: they succeed. */
  failure: string | undefined;
  /** The failing commit is written all the same, as a torn record that turned out whole. */
  writesAnyway = false;
  /** Awaited once a commit is written, before anybody learns of it. */
  written: () => Promise<void> = async () => {};
  /** How opening fails. */
  openFailure: string | undefined;
  /** How the next step of cleaning fails. */
  cleaningFailure: string | undefined;
  /** True while there is no room for a probe. */
  full = false;
  opened = 0;
  /** Entries that each step of cleaning covered. */
  readonly steps: number[] = [];

  readonly openDatabase: OpenDatabase = async (directory) => {
    if (this.openFailure !== undefined) throw levelError(this.openFailure);
    const database = await openClassicLevel(directory);
    this.opened += 1;
    this.#watch(database);
    return database;
  };

  readonly files: SharedFileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      if (this.full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return nodeFileSystem.open(path, mode);
    },
  };

  #watch(database: Database): void {
    const makeBatch = database.batch.bind(database) as () => object;
    const clear = database.clear.bind(database);
    Object.assign(database, {
      batch: () => this.#faulty(makeBatch()),
      clear: async (range: { gte: Uint8Array; lt: Uint8Array }) => {
        this.steps.push(ordinalOf(range.lt) - ordinalOf(range.gte));
        if (this.cleaningFailure !== undefined) throw levelError(this.cleaningFailure);
        await clear(range);
      },
    });
  }

  #faulty(batch: object): object {
    const writable = batch as WritableBatch;
    const write = writable._write.bind(writable);
    writable._write = async (options) => {
      const { failure } = this;
      if (failure === undefined || this.writesAnyway) await write(options);
      await this.written();
      if (failure !== undefined) throw levelError(failure);
    };
    return batch;
  }
}

function levelError(text: string): Error {
  return Object.assign(new Error(text), { code: 'LEVEL_IO_ERROR' });
}

function ordinalOf(key: Uint8Array): number {
  return Buffer.from(key).readUIntBE(key.length - 6, 6);
}
