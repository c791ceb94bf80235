import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import { defaultProbeBytes, type EmbeddedStoreOptions } from '../../embedded-store/store-options.ts';
import type { OpenDatabase } from '../../level/database.ts';
import type { Clock } from '../../ports/clock.ts';
import { openClassicLevel } from './database.ts';
import { LevelEngine, type OpenedLevel } from './level-engine.ts';

export interface LevelStoreOptions extends EmbeddedStoreOptions {
  readonly clock: Clock;
  /** Opens the database; for tests that make it fail. Default: classic-level as it is tuned here. */
  readonly openDatabase?: OpenDatabase | undefined;
}

export type LevelStore = EmbeddedStore<OpenedLevel>;

/**
 * Opens or creates a store on classic-level. Throws `STORE_LOCKED` at once when another process has it open,
 * `STORE_TOO_NEW`, `STORE_CORRUPT` (also for a database that is not ours), `DISK_FULL`, `STORE_IO_FAILED`.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { directory, files, clock, newId, cachedVersions } = options;
  const { openDatabase = openClassicLevel, probeBytes = defaultProbeBytes } = options;
  return openEmbeddedStore({
    engine: new LevelEngine({ directory, files, clock, newId, openDatabase, probeBytes }),
    capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'own', backup: true },
    files,
    cachedVersions,
  });
}
