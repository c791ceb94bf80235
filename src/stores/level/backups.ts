import { dirname, join, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { PersistenceError } from '../../domain/errors.ts';
import { refuseInside, refuseTaken } from '../../embedded-store/backup-place.ts';
import type { EmbeddedBackups, ReadOpened } from '../../embedded-store/embedded-store.ts';
import { createBeside } from '../../level/create-database.ts';
import type { Database } from '../../level/database.ts';
import { classifyFailure } from '../../level/failures.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import { Turns } from '../turns.ts';
import { openBackupDatabase } from './database.ts';
import type { OpenedLevel } from './level-engine.ts';

/** Copied at once: what a page holds in memory, and how long it holds up the event loop. */
const pageRecords = 1_000;
const pageBytes = 256 * 1024;

interface Place {
  /** Of the store. */
  readonly directory: string;
  readonly files: FileSystem;
}

/**
 * Makes backups of one store, one at a time. A copy is a LevelDB of its own, written record by record as of one moment:
 * its files are not those of the store, which LevelDB removes as it likes. Its draft is named after the store, so that
 * only this store's backups remove it (docs/decisions/0011-totals-and-backups.md).
 */
export class Backups implements EmbeddedBackups {
  readonly #from: string;
  readonly #files: FileSystem;
  readonly #read: ReadOpened<OpenedLevel>;
  readonly #turns = new Turns();

  constructor({ directory, files }: Place, read: ReadOpened<OpenedLevel>) {
    this.#from = resolve(directory);
    this.#files = files;
    this.#read = read;
  }

  /** See `Store.backup`. */
  make(directory: string): Promise<BackupSize> {
    return this.#turns.take(() => this.#make(resolve(directory)));
  }

  /** Resolves once no backup is under way. Those of a closed store end at their next page. */
  settled(): Promise<void> {
    return this.#turns.take(async () => undefined);
  }

  async #make(to: string): Promise<BackupSize> {
    const { database, identity } = await this.#read(async (opened) => opened);
    const draft = join(dirname(to), `unfinished-backup-${identity.id}`);
    refuseInside(this.#from, to);
    if (to === draft) throw new PersistenceError('INVALID_INPUT', `${to} is where backups lie until they are finished`);
    try {
      await refuseTaken(this.#files, to);
      await this.#files.makeDirectory(dirname(to));
      let size: BackupSize = { records: 0, bytes: 0 };
      await createBeside(to, draft, async () => {
        size = await this.#copy(database, draft);
        await syncFiles(this.#files, draft);
        await refuseTaken(this.#files, to);
      });
      return size;
    } catch (error) {
      await removeDraft(draft);
      throw classifyFailure(error, `the level store in ${to}`, 'writing a backup');
    }
  }

  async #copy(database: Database, draft: string): Promise<BackupSize> {
    const copy = await openBackupDatabase(draft);
    try {
      return await fill(copy, this.#pages(database));
    } finally {
      await copy.close();
    }
  }

  /** Everything in the database as of now: an iterator shows the moment at which it was made. */
  async *#pages(database: Database): AsyncGenerator<[Uint8Array, Uint8Array][]> {
    const iterator = await this.#read(async () => database.iterator({ highWaterMarkBytes: pageBytes }));
    try {
      for (;;) {
        const page = await this.#read(() => iterator.nextv(pageRecords));
        if (page.length === 0) return;
        yield page;
      }
    } finally {
      await iterator.close();
    }
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
