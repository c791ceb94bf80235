import { resolve } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Plan } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import type { Engine, Guard, OpenedEngine } from '../../embedded-store/engine.ts';
import { probeRoom, removeProbe } from '../../embedded-store/room-probe.ts';
import type { StoredCursors } from '../../embedded-store/stored-cursors.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize, SessionView, StoreIdentity } from '../../ports/store.ts';
import type { RocksdbAddon } from './addon.ts';
import { type Copying, copyDatabase } from './copy-database.ts';
import { RocksDatabase } from './database.ts';
import { classify } from './failures.ts';
import { mostEntries } from './keys.ts';
import { type Layout, settleLayout, sign } from './layout.ts';
import { Operations } from './packing.ts';
import { refuseLevel } from './refuse-level.ts';
import { RocksdbRecords } from './rocksdb-records.ts';
import { openView } from './rocksdb-session-view.ts';
import { fillOperations } from './write-plan.ts';

/** Everything that opening needs, so that it can be done again. */
export interface RocksdbEngineOptions {
  readonly directory: string;
  readonly addon: RocksdbAddon;
  readonly files: FileSystem;
  readonly newId: () => string;
  readonly probeBytes: number;
  readonly writeBufferBytes: number;
  readonly newerReleasesOnly: boolean;
  readonly adoptChanges: boolean;
}

/** Opens the database of a rocksdb store, creates it where there is none. */
export class RocksdbEngine implements Engine<OpenedRocksdb> {
  readonly name: string;
  readonly directories: readonly string[];
  readonly #options: RocksdbEngineOptions;

  constructor(options: RocksdbEngineOptions) {
    this.#options = options;
    this.name = `the rocksdb store in ${options.directory}`;
    this.directories = [options.directory];
  }

  async open(): Promise<OpenedRocksdb> {
    const { directory, addon, files, newerReleasesOnly: createReceipts, writeBufferBytes } = this.#options;
    await files.makeDirectory(resolve(directory));
    await refuseLevel(files, directory);
    const database = await RocksDatabase.open(addon, directory, { createReceipts, writeBufferBytes });
    try {
      const layout = await settleLayout(database, this.#options);
      await removeProbe(files, directory);
      await files.syncDirectory(directory);
      return new OpenedRocksdb(database, layout, { addon, files });
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  probeRoom(): Promise<void> {
    return probeRoom(this.#options.files, this.#options.directory, this.#options.probeBytes);
  }

  classify(error: unknown, doing: string, directory = this.#options.directory): PersistenceError {
    return classify(error, directory, doing);
  }
}

/** An open database. After a failed write nobody knows how RocksDB's own log ends, so nothing may follow it. */
export class OpenedRocksdb implements OpenedEngine {
  readonly database: RocksDatabase;
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
  readonly records: RocksdbRecords;
  readonly #copying: Copying;
  readonly #operations = new Operations();

  constructor(database: RocksDatabase, { identity, totals }: Layout, copying: Copying) {
    this.database = database;
    this.identity = identity;
    this.totals = totals;
    this.records = new RocksdbRecords(database);
    this.#copying = copying;
  }

  /** Throws `NOT_SUPPORTED` for a log that grows beyond what macp-storage's keys number. */
  prepare(plan: Plan, totals: StoreTotals | undefined): () => Promise<void> {
    for (const { session, after } of plan.changes) {
      if (after.entries <= mostEntries) continue;
      const name = JSON.stringify(session);
      throw new PersistenceError(
        'NOT_SUPPORTED',
        `the log of session ${name} would have more than ${mostEntries} entries`,
      );
    }
    this.#operations.clear();
    const writesReceipts = fillOperations(this.#operations, plan, totals, this.database);
    sign(this.#operations, this.database);
    return async () => {
      if (writesReceipts) await this.database.createReceipts();
      await this.database.write(this.#operations);
    };
  }

  openView(session: SessionId, _cursors: StoredCursors, guard: Guard): Promise<SessionView | undefined> {
    return openView(this.database, session, guard);
  }

  copyTo(draft: string, guard: Guard): Promise<BackupSize> {
    return copyDatabase(this.database, draft, guard, this.#copying);
  }

  /** RocksDB does by itself what there is to do beside commits. */
  start(): void {}

  async idle(): Promise<void> {}

  close(): Promise<void> {
    return this.database.close();
  }
}
