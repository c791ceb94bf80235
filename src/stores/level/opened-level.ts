import { resolve } from 'node:path';
import type { SourceId, StoredPosition } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { createLevelDatabase } from '../../level/create-database.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { StoreIdentity } from '../../ports/store.ts';
import type { Turns } from '../turns.ts';
import { ReusedBatch } from './batch.ts';
import { Cleaner } from './cleaner.ts';
import { type Database, type OpenDatabase, removeProbe } from './database.ts';
import { settleLayout } from './layout.ts';
import { LevelReader } from './level-reader.ts';
import { RecentSessions } from './recent-sessions.ts';
import { StoredCursors } from './stored-cursors.ts';

/** The stored cursor version of a session; undefined when the store has no cursor of it. */
export type StoredVersion = number | undefined;

/** What an open database is used through, and what is known of its content. All of it ends with the handle. */
export interface OpenedLevel {
  readonly database: Database;
  readonly identity: StoreIdentity;
  readonly reader: LevelReader;
  readonly batch: ReusedBatch;
  readonly cleaner: Cleaner;
  readonly cursors: StoredCursors;
  /** The stored cursor versions, so that most commits need not read before they write. */
  readonly versions: RecentSessions<StoredVersion>;
  readonly positions: Map<SourceId, Map<number, StoredPosition>>;
  /** As of the last commit. */
  totals: StoreTotals;
}

/** Everything that opening needs, so that it can be done again. */
export interface OpeningOptions {
  readonly directory: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly cachedVersions: number;
  readonly openDatabase: OpenDatabase;
}

/**
 * Opens the database, creates it durably where there is none, and reads what is kept in memory. Rejects with whatever
 * failed, and leaves nothing open then. The cleaner is not at work yet.
 */
export async function openLevel(
  options: OpeningOptions,
  turns: Turns,
  cleaningFailed: (error: unknown) => void,
): Promise<OpenedLevel> {
  const { directory, files, clock } = options;
  await files.makeDirectory(resolve(directory));
  await createLevelDatabase(directory);
  const database = await options.openDatabase(directory);
  try {
    const { identity, totals } = await settleLayout(database, directory, options.newId);
    await removeProbe(files, directory);
    // LevelDB does not sync the directory after it has renamed CURRENT.
    await files.syncDirectory(directory);
    const reader = new LevelReader(database);
    return {
      database,
      identity,
      totals,
      reader,
      batch: new ReusedBatch(database),
      cleaner: new Cleaner(database, turns, clock, cleaningFailed),
      cursors: new StoredCursors(reader),
      versions: new RecentSessions(options.cachedVersions),
      positions: await reader.positions(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Releases the database. Called within a turn. */
export async function closeLevel(opened: OpenedLevel): Promise<void> {
  opened.cleaner.stop();
  await opened.database.close();
}
