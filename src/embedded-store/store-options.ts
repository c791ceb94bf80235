import type { SharedFileSystem } from '../ports/file-system.ts';

/** What every store that belongs to one process is opened with. */
export interface EmbeddedStoreOptions {
  /** Where it lies; made when it is missing. No other process may have it open. */
  readonly directory: string;
  readonly files: SharedFileSystem;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Of how many sessions the cursor version is kept in memory, about 100 bytes each. Default 100,000. */
  readonly cachedVersions?: number | undefined;
  /** Room in bytes that there must be before a store whose disk was full is opened again. Default 16 MiB. */
  readonly probeBytes?: number | undefined;
}

export const defaultProbeBytes = 16 * 1024 * 1024;
export const defaultCachedVersions = 100_000;
