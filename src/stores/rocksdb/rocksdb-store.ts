import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import { defaultProbeBytes, type EmbeddedStoreOptions } from '../../embedded-store/store-options.ts';
import { addonPlaces, loadAddon } from './addon.ts';
import { type OpenedRocksdb, RocksdbEngine } from './rocksdb-engine.ts';

export interface RocksdbStoreOptions extends EmbeddedStoreOptions {
  /** Which machine the addon is for: `linux-x64`, as `process.platform` and `process.arch` say. */
  readonly platform: string;
  /** Whether to make the family of receipts at once: no release before 0.13.0 opens the store then. Default: no. */
  readonly newerReleasesOnly?: boolean | undefined;
  /** Whether to take the store as it is where macp-runtime wrote to it after us. Default: that is an error. */
  readonly adoptChanges?: boolean | undefined;
  /** Bytes of a family's newest records that are kept in memory before they become a table. Default 24 MiB. */
  readonly writeBufferBytes?: number | undefined;
}

const mebibyte = 1024 * 1024;

export type RocksdbStore = EmbeddedStore<OpenedRocksdb>;

/**
 * Opens or creates a store in macp-storage's RocksDB layout, and adopts one that macp-runtime wrote. Throws
 * `ADDON_MISSING`, `STORE_LOCKED` at once when another process has it open, `STORE_CHANGED_ELSEWHERE` when macp-runtime
 * wrote to it after us, `STORE_TOO_NEW`, `STORE_CORRUPT` (also for a database that is no store), `DISK_FULL`,
 * `STORE_IO_FAILED`.
 */
export async function openRocksdbStore(options: RocksdbStoreOptions): Promise<RocksdbStore> {
  const { directory, files, newId, newerReleasesOnly = false, adoptChanges = false } = options;
  const { probeBytes = defaultProbeBytes, writeBufferBytes = 24 * mebibyte, cachedVersions } = options;
  const addon = loadAddon(addonPlaces(options.platform));
  return openEmbeddedStore({
    engine: new RocksdbEngine({
      directory,
      addon,
      files,
      newId,
      probeBytes,
      writeBufferBytes,
      newerReleasesOnly,
      adoptChanges,
    }),
    capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'upstream', backup: true },
    files,
    cachedVersions,
  });
}
