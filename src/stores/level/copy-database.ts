import type { Guard } from '../../embedded-store/engine.ts';
import { syncFiles } from '../../embedded-store/sync-files.ts';
import type { Database } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import { openBackupDatabase } from './database.ts';

/** Copied at once: what a page holds in memory, and how long it holds up the event loop. */
const pageRecords = 1_000;
const pageBytes = 256 * 1024;

export interface DatabaseCopy {
  readonly database: Database;
  /** The directory to copy into; not there yet. */
  readonly draft: string;
  readonly files: FileSystem;
  readonly guard: Guard;
}

/**
 * Copies the database as of now, durably: record by record into a LevelDB of its own, as LevelDB removes the store's
 * files as it likes.
 */
export async function copyDatabase({ database, draft, files, guard }: DatabaseCopy): Promise<BackupSize> {
  await files.makeDirectory(draft);
  const copy = await openBackupDatabase(draft);
  let size: BackupSize;
  try {
    size = await fill(copy, pagesOf(database, guard));
  } finally {
    await copy.close();
  }
  // LevelDB syncs its tables, but neither the first manifest nor a log that nobody asked it to.
  await syncFiles(files, draft);
  await files.syncDirectory(draft);
  return size;
}

/** Everything in the database as of now: an iterator shows the moment at which it was made. */
async function* pagesOf(database: Database, guard: Guard): AsyncGenerator<[Uint8Array, Uint8Array][]> {
  const iterator = await guard(async () => database.iterator({ highWaterMarkBytes: pageBytes }));
  try {
    for (;;) {
      const page = await guard(() => iterator.nextv(pageRecords));
      if (page.length === 0) return;
      yield page;
    }
  } finally {
    await iterator.close();
  }
}

async function fill(copy: Database, pages: AsyncIterable<[Uint8Array, Uint8Array][]>): Promise<BackupSize> {
  const batch = new ReusedBatch(copy);
  let records = 0;
  let bytes = 0;
  for await (const page of pages) {
    for (const [key, value] of page) {
      batch.put(key, value);
      bytes += key.length + value.length;
    }
    records += page.length;
    await batch.write({ sync: false });
  }
  return { records, bytes };
}
