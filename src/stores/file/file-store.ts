import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import { Backups } from './backups.ts';
import { FileEngine } from './file-engine.ts';
import type { OpenedFiles } from './opened-files.ts';
import { Places } from './places.ts';

const mebibyte = 1024 * 1024;

export interface FileStoreOptions {
  /** macp-runtime's data directory; made when it is missing. No other process may have it open. */
  readonly directory: string;
  readonly files: SharedFileSystem;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Whether to take the store as it is where macp-runtime wrote to it after us. Default: that is an error. */
  readonly adoptChanges?: boolean | undefined;
  /** Of how many sessions the cursor version is kept in memory, about 100 bytes each. Default 100,000. */
  readonly cachedVersions?: number | undefined;
  /** Room in bytes that there must be before a store whose disk was full is opened again. Default 16 MiB. */
  readonly probeBytes?: number | undefined;
  /** Log files that are kept open to be written. Default 512. */
  readonly openLogs?: number | undefined;
  /** Bytes of the journal at which a checkpoint begins. Default 64 MiB. */
  readonly checkpointBytes?: number | undefined;
}

export type FileStore = EmbeddedStore<OpenedFiles>;

/**
 * Opens or creates a store in macp-runtime's directory layout, and adopts one that macp-runtime wrote. Throws
 * `STORE_LOCKED` at once when another process of ours has it open, `STORE_CHANGED_ELSEWHERE` when macp-runtime wrote to it
 * after us, `NOT_SUPPORTED` on a file system that takes two names for one, `STORE_TOO_NEW`, `STORE_CORRUPT`, `DISK_FULL`,
 * `STORE_IO_FAILED`.
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { directory, files, newId, adoptChanges: adopts = false } = options;
  const { probeBytes = 16 * mebibyte, openLogs = 512, checkpointBytes = 64 * mebibyte } = options;
  return openEmbeddedStore({
    engine: new FileEngine({ directory, files, newId, probeBytes, openLogs, checkpointBytes, adopts }),
    capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'upstream', backup: true },
    cachedVersions: options.cachedVersions ?? 100_000,
    backups: (read) => new Backups(files, read),
  });
}

/** Whether there is something to be read in `directory`: a store of ours, or what macp-runtime wrote. */
export async function fileStoreExists(files: SharedFileSystem, directory: string): Promise<boolean> {
  const { records, sessions } = new Places(directory);
  return (await files.status(records)) !== undefined || (await files.status(sessions)) !== undefined;
}
