import { rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import { refuseInside, refuseTaken } from '../../embedded-store/backup-place.ts';
import type { EmbeddedBackups, ReadOpened } from '../../embedded-store/embedded-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import { Turns } from '../turns.ts';
import type { RocksdbAddon } from './addon.ts';
import { RocksDatabase } from './database.ts';
import { classify } from './failures.ts';
import type { OpenedRocksdb } from './rocksdb-engine.ts';

interface Place {
  /** Of the store. */
  readonly directory: string;
  readonly addon: RocksdbAddon;
  readonly files: FileSystem;
}

/**
 * Makes backups of one store, one at a time: a checkpoint of RocksDB's, whose tables are links to the store's own where
 * both lie on one file system, and which is read through once before it counts. Its draft is named after the store, so
 * that only this store's backups remove it (docs/decisions/0011-totals-and-backups.md).
 */
export class Backups implements EmbeddedBackups {
  readonly #from: string;
  readonly #addon: RocksdbAddon;
  readonly #files: FileSystem;
  readonly #read: ReadOpened<OpenedRocksdb>;
  readonly #turns = new Turns();

  constructor({ directory, addon, files }: Place, read: ReadOpened<OpenedRocksdb>) {
    this.#from = resolve(directory);
    this.#addon = addon;
    this.#files = files;
    this.#read = read;
  }

  /** See `Store.backup`. */
  make(directory: string): Promise<BackupSize> {
    return this.#turns.take(() => this.#make(resolve(directory)));
  }

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
      await removeDraft(draft);
      await this.#read(() => database.checkpoint(draft));
      const size = await this.#measure(draft);
      await this.#sync(draft);
      await refuseTaken(this.#files, to);
      await this.#read(() => rename(draft, to));
      await this.#files.syncDirectory(dirname(to));
      return size;
    } catch (error) {
      // What cannot be removed now is removed by the next backup; why this one failed matters more.
      await removeDraft(draft).catch(() => undefined);
      throw classify(error, to, 'writing a backup');
    }
  }

  async #measure(draft: string): Promise<BackupSize> {
    const copy = await RocksDatabase.openReadOnly(this.#addon, draft);
    try {
      return await this.#read(() => copy.measure());
    } finally {
      await copy.close();
    }
  }

  async #sync(draft: string): Promise<void> {
    for (const name of await this.#files.list(draft)) {
      await using file = await this.#files.open(join(draft, name), 'read');
      await file.datasync();
    }
    await this.#files.syncDirectory(draft);
  }
}

/** RocksDB makes a checkpoint beside its place, under a name of its own, and renames it. */
async function removeDraft(draft: string): Promise<void> {
  for (const path of [draft, `${draft}.tmp`]) await rm(path, { recursive: true, force: true });
}
