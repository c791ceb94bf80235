import type { Guard } from '../../embedded-store/engine.ts';
import { syncFiles } from '../../embedded-store/sync-files.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import type { RocksdbAddon } from './addon.ts';
import { RocksDatabase } from './database.ts';

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

async function measure(addon: RocksdbAddon, draft: string, guard: Guard): Promise<BackupSize> {
  const copy = await RocksDatabase.openReadOnly(addon, draft);
  try {
    return await guard(() => copy.measure());
  } finally {
    await copy.close();
  }
}
