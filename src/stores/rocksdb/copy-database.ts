import type { Guard } from '../../embedded-store/engine.ts';
import { syncFiles } from '../../embedded-store/sync-files.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import type { RocksdbAddon } from './addon.ts';
import { RocksDatabase } from './database.ts';

/** Of a copy that are read between two looks at whether the store was closed. */
const stepBytes = 32 * 1024 * 1024;

/** What copying needs beside the database. */
export interface Copying {
  readonly addon: RocksdbAddon;
  readonly files: FileSystem;
}

/**
 * Copies the database as it is now into the new directory `draft`, durably: a checkpoint of RocksDB's, whose tables are
 * links to the store's own where both lie on one file system, and which is read through once before it counts.
 */
export async function copyDatabase(
  database: RocksDatabase,
  draft: string,
  guard: Guard,
  { addon, files }: Copying,
): Promise<BackupSize> {
  // RocksDB makes it beside its place, as `draft.tmp`, which it removes before and where it fails.
  await guard(() => database.checkpoint(draft));
  const size = await measure(addon, draft, guard);
  await syncFiles(files, draft);
  await files.syncDirectory(draft);
  return size;
}

/** Reads the copy whole, in steps, so that closing the store soon ends it. */
async function measure(addon: RocksdbAddon, draft: string, guard: Guard): Promise<BackupSize> {
  const copy = await RocksDatabase.openReadOnly(addon, draft);
  let [records, bytes] = [0, 0];
  try {
    for (const family of copy.families) {
      for (let from: Uint8Array | undefined = Buffer.of(); from !== undefined; ) {
        const start: Uint8Array = from;
        const step = await guard(() => copy.measure(family, start, stepBytes));
        records += step.records;
        bytes += step.bytes;
        from = step.next;
      }
    }
    return { records, bytes };
  } finally {
    await copy.close();
  }
}
