import { dirname, join, relative, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { PersistenceError } from '../../domain/errors.ts';
import { createBeside } from '../../level/create-database.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import { ReusedBatch } from './batch.ts';
import { type Database, openBackupDatabase } from './database.ts';
import { classify } from './failures.ts';
import type { Guard } from './level-session-view.ts';
import type { OpenedLevel } from './opened-level.ts';

/** Copied at once: what a page holds in memory, and how long it holds up the event loop. */
const pageRecords = 1_000;
const pageBytes = 256 * 1024;

export interface BackupOptions {
  readonly opened: OpenedLevel;
  /** Where the store lies. */
  readonly from: string;
  readonly to: string;
  readonly files: FileSystem;
  /** Every read of the store goes through it. */
  readonly guard: Guard;
}

/**
 * See `Store.backup`. The copy is a LevelDB of its own, written record by record from a snapshot: its files are not
 * those of the store, which LevelDB removes as it likes. Its draft is named after the store, so that only this store's
 * backups remove it; the caller sees to it that there is one at a time.
 */
export async function backUp(options: BackupOptions): Promise<BackupSize> {
  const { files, opened } = options;
  const to = resolve(options.to);
  const draft = join(dirname(to), `unfinished-backup-${opened.identity.id}`);
  refuseInside(resolve(options.from), to);
  try {
    await refuseTaken(files, to);
    await files.makeDirectory(dirname(to));
    let size: BackupSize = { records: 0, bytes: 0 };
    await createBeside(to, draft, async () => {
      size = await copyRecords(options, draft);
      await syncFiles(files, draft);
      await refuseTaken(files, to);
    });
    return size;
  } catch (error) {
    await removeDraft(draft);
    throw classify(error, to, 'writing a backup');
  }
}

async function copyRecords({ opened, guard }: BackupOptions, draft: string): Promise<BackupSize> {
  const copy = await openBackupDatabase(draft);
  try {
    return await fill(copy, opened.database, guard);
  } finally {
    await copy.close();
  }
}

async function fill(copy: Database, source: Database, guard: Guard): Promise<BackupSize> {
  const batch = new ReusedBatch(copy);
  let records = 0;
  let bytes = 0;
  for await (const page of pagesOf(source, guard)) {
    for (const [key, value] of page) {
      batch.put(key, value);
      bytes += key.length + value.length;
    }
    records += page.length;
    await batch.write({ sync: false });
  }
  return { records, bytes };
}

/** Everything in the database as of now, whatever is written later. */
async function* pagesOf(database: Database, guard: Guard): AsyncGenerator<[Uint8Array, Uint8Array][]> {
  const snapshot = await guard(async () => database.snapshot());
  try {
    const iterator = database.iterator({ snapshot, highWaterMarkBytes: pageBytes });
    try {
      for (;;) {
        const page = await guard(() => iterator.nextv(pageRecords));
        if (page.length === 0) return;
        yield page;
      }
    } finally {
      await iterator.close();
    }
  } finally {
    await snapshot.close();
  }
}

/** LevelDB syncs its tables, but neither the first manifest nor a log that nobody asked it to. */
async function syncFiles(files: FileSystem, directory: string): Promise<void> {
  for (const name of await files.list(directory)) {
    await using file = await files.open(join(directory, name), 'read');
    await file.datasync();
  }
}

/** What cannot be removed now is removed by the next backup; why this one failed matters more. */
async function removeDraft(draft: string): Promise<void> {
  await ClassicLevel.destroy(draft).catch(() => undefined);
}

function refuseInside(store: string, to: string): void {
  if (relative(store, to).startsWith('..')) return;
  throw new PersistenceError('INVALID_INPUT', `a backup of the store in ${store} cannot lie within it`);
}

async function refuseTaken(files: FileSystem, to: string): Promise<void> {
  try {
    await files.list(to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    // What lies there is no directory.
    if (code !== 'ENOTDIR') throw error;
  }
  throw new PersistenceError('INVALID_INPUT', `${to} is there already: a backup needs a new directory`);
}
