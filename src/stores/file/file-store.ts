import { join } from 'node:path';
import { type EmbeddedStore, openEmbeddedStore } from '../../embedded-store/embedded-store.ts';
import { defaultProbeBytes, type EmbeddedStoreOptions } from '../../embedded-store/store-options.ts';
import { FileEngine } from './file-engine.ts';
import type { OpenedFiles } from './opened-files.ts';
import { Places } from './places.ts';
import { earlierFiles } from './upstream-layout.ts';

const mebibyte = 1024 * 1024;

/** `directory`: macp-runtime's data directory. */
export interface FileStoreOptions extends EmbeddedStoreOptions {
  /** Whether to take the store as it is where macp-runtime wrote to it after us. Default: that is an error. */
  readonly adoptChanges?: boolean | undefined;
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
  const { directory, files, newId, cachedVersions, adoptChanges: adopts = false } = options;
  const { probeBytes = defaultProbeBytes, openLogs = 512, checkpointBytes = 64 * mebibyte } = options;
  return openEmbeddedStore({
    engine: new FileEngine({ directory, files, newId, probeBytes, openLogs, checkpointBytes, adopts }),
    capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'upstream', backup: true },
    files,
    cachedVersions,
  });
}

/** Where one of these is, there is something to be read in `directory`: a store of ours, or what macp-runtime wrote. */
export function fileStoreMarks(directory: string): readonly string[] {
  const { records, sessions } = new Places(directory);
  return [records, sessions, ...earlierFiles.map((name) => join(directory, name))];
}

/** Where nothing but the store may lie. */
export function fileStoreDirectories(directory: string): readonly string[] {
  return new Places(directory).directories;
}
