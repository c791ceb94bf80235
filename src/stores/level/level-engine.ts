import { resolve } from 'node:path';
import type { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Plan } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import type { Engine, Guard, OpenedEngine, Opening } from '../../embedded-store/engine.ts';
import { probeRoom, removeProbe } from '../../embedded-store/room-probe.ts';
import type { StoredCursors } from '../../embedded-store/stored-cursors.ts';
import { createLevelDatabase } from '../../level/create-database.ts';
import type { Database, OpenDatabase } from '../../level/database.ts';
import { classifyFailure } from '../../level/failures.ts';
import { LevelRecords } from '../../level/level-records.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { BackupSize, SessionView, StoreIdentity } from '../../ports/store.ts';
import { Cleaner } from './cleaner.ts';
import { copyDatabase } from './copy-database.ts';
import { type Layout, settleLayout } from './layout.ts';
import { openView } from './level-session-view.ts';
import { fillBatch } from './write-plan.ts';

/** Everything that opening needs, so that it can be done again. */
export interface LevelEngineOptions {
  readonly directory: string;
  readonly files: SharedFileSystem;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly openDatabase: OpenDatabase;
  readonly probeBytes: number;
}

/** Opens the database of a level store, creates it durably where there is none. */
export class LevelEngine implements Engine<OpenedLevel> {
  readonly name: string;
  readonly directories: readonly string[];
  readonly #options: LevelEngineOptions;

  constructor(options: LevelEngineOptions) {
    this.#options = options;
    this.name = nameOf(options.directory);
    this.directories = [options.directory];
  }

  async open(opening: Opening): Promise<OpenedLevel> {
    const { directory, files, clock, newId, openDatabase } = this.#options;
    await files.makeDirectory(resolve(directory));
    await createLevelDatabase(directory);
    const database = await openDatabase(directory);
    try {
      const layout = await settleLayout(database, directory, newId);
      await removeProbe(files, directory);
      // LevelDB does not sync the directory after it has renamed CURRENT.
      await files.syncDirectory(directory);
      const cleaner = new Cleaner(database, opening.turns, clock, opening.failed);
      return new OpenedLevel(database, layout, cleaner, files);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  probeRoom(): Promise<void> {
    return probeRoom(this.#options.files, this.#options.directory, this.#options.probeBytes);
  }

  classify(error: unknown, doing: string, directory = this.#options.directory): PersistenceError {
    return classifyFailure(error, nameOf(directory), doing);
  }
}

function nameOf(directory: string): string {
  return `the level store in ${directory}`;
}

/** An open database. After a failed write LevelDB's own log may end in a torn record, so nothing may follow it. */
export class OpenedLevel implements OpenedEngine {
  readonly database: Database;
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
  readonly records: LevelRecords;
  readonly #batch: ReusedBatch;
  readonly #cleaner: Cleaner;
  readonly #files: SharedFileSystem;

  constructor(database: Database, { identity, totals }: Layout, cleaner: Cleaner, files: SharedFileSystem) {
    this.database = database;
    this.identity = identity;
    this.totals = totals;
    this.records = new LevelRecords(database);
    this.#batch = new ReusedBatch(database);
    this.#cleaner = cleaner;
    this.#files = files;
  }

  prepare(plan: Plan, totals: StoreTotals | undefined): () => Promise<void> {
    const garbage = fillBatch(this.#batch, plan, totals);
    return async () => {
      await this.#batch.write();
      this.#cleaner.noteWritten(plan.changes.reduce((sum, { log }) => sum + (log?.entries.length ?? 0), 0));
      if (garbage > 0) this.#cleaner.wake();
    };
  }

  openView(session: SessionId, cursors: StoredCursors, guard: Guard): Promise<SessionView | undefined> {
    return openView(this.database, cursors, session, guard);
  }

  copyTo(draft: string, guard: Guard): Promise<BackupSize> {
    return copyDatabase({ database: this.database, draft, files: this.#files, guard });
  }

  start(): void {
    this.#cleaner.wake();
  }

  /** Resolves once replaced and deleted logs are removed, or the cleaner gave up. */
  async idle(): Promise<void> {
    await this.#cleaner.idle();
  }

  async close(): Promise<void> {
    this.#cleaner.stop();
    await this.database.close();
  }
}
