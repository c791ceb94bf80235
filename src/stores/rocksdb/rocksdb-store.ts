import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { addonPlaces, loadAddon } from './addon.ts';
import { Backups } from './backups.ts';
import { type OpenedRocksdb, RocksdbEngine } from './rocksdb-engine.ts';

export interface RocksdbStoreOptions {
  /** Where the database lies; made when it is missing. No other process may have it open. */
  readonly directory: string;
  /** Which machine the addon is for: `linux-x64`, as `process.platform` and `process.arch` say. */
  readonly platform: string;
  readonly files: FileSystem;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Whether to make the family of receipts at once: no release before 0.13.0 opens the store then. Default: no. */
  readonly newerReleasesOnly?: boolean | undefined;
  /** Whether to take the store as it is where macp-runtime wrote to it after us. Default: that is an error. */
  readonly adoptChanges?: boolean | undefined;
  /** Of how many sessions the cursor version is kept in memory, about 100 bytes each. Default 100,000. */
  readonly cachedVersions?: number | undefined;
  /** Bytes of a family's newest records that are kept in memory before they become a table. Default 24 MiB. */
  readonly writeBufferBytes?: number | undefined;
  /** Room in bytes that there must be before a store whose disk was full is opened again. Default 16 MiB. */
  readonly probeBytes?: number | undefined;
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
  const { probeBytes = 16 * mebibyte, writeBufferBytes = 24 * mebibyte, cachedVersions = 100_000 } = options;
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
    cachedVersions,
    backups: (read) => new Backups({ directory, addon, files }, read),
  });
}
