import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import type { OpenDatabase } from '../../level/database.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { Backups } from './backups.ts';
import { openClassicLevel } from './database.ts';
import { LevelEngine, type OpenedLevel } from './level-engine.ts';

export interface LevelStoreOptions {
  /** Where the database lies; made when it is missing. No other process may have it open. */
  readonly directory: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Of how many sessions the cursor version is kept in memory, about 100 bytes each. Default 100,000. */
  readonly cachedVersions?: number | undefined;
  /** Room in bytes that there must be before a store whose disk was full is opened again. Default 16 MiB. */
  readonly probeBytes?: number | undefined;
  /** Opens the database; for tests that make it fail. Default: classic-level as it is tuned here. */
  readonly openDatabase?: OpenDatabase | undefined;
}

export type LevelStore = EmbeddedStore<OpenedLevel>;

/**
 * Opens or creates a store on classic-level. Throws `STORE_LOCKED` at once when another process has it open,
 * `STORE_TOO_NEW`, `STORE_CORRUPT` (also for a database that is not ours), `DISK_FULL`, `STORE_IO_FAILED`.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { directory, files, clock, newId } = options;
  const { openDatabase = openClassicLevel, probeBytes = 16 * 1024 * 1024 } = options;
  return openEmbeddedStore({
    engine: new LevelEngine({ directory, files, clock, newId, openDatabase, probeBytes }),
    capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'own', backup: true },
    cachedVersions: options.cachedVersions ?? 100_000,
    backups: (read) => new Backups({ directory, files }, read),
  });
}
