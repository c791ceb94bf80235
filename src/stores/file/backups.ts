import { dirname, join, resolve } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import { refuseInside, refuseTaken } from '../../embedded-store/backup-place.ts';
import type { EmbeddedBackups, ReadOpened } from '../../embedded-store/embedded-store.ts';
import { classifyFailure } from '../../level/failures.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import { Turns } from '../turns.ts';
import { BackupCopy } from './backup-copy.ts';
import type { OpenedFiles } from './opened-files.ts';

/**
 * Makes backups of one store, one at a time. A copy is a directory of the same layout without a journal. Its draft is
 * named after the store, so that only this store's backups remove it.
 */
export class Backups implements EmbeddedBackups {
  readonly #files: SharedFileSystem;
  readonly #read: ReadOpened<OpenedFiles>;
  readonly #turns = new Turns();

  constructor(files: SharedFileSystem, read: ReadOpened<OpenedFiles>) {
    this.#files = files;
    this.#read = read;
  }

  /** See `Store.backup`. */
  make(directory: string): Promise<BackupSize> {
    return this.#turns.take(() => this.#make(resolve(directory)));
  }

  /** Resolves once no backup is under way. Those of a closed store end at their next file. */
  settled(): Promise<void> {
    return this.#turns.take(async () => undefined);
  }

  async #make(to: string): Promise<BackupSize> {
    const opened = await this.#read(async (open) => open);
    const { places } = opened.workplace;
    const parent = dirname(to);
    const draft = join(parent, `unfinished-backup-${opened.identity.id}`);
    // macp-runtime's data directory may hold other things as well, backups among them.
    for (const inside of [places.sessions, places.own]) refuseInside(inside, to);
    if (to === draft) throw new PersistenceError('INVALID_INPUT', `${to} is where backups lie until they are finished`);
    const files = this.#files;
    try {
      await refuseTaken(files, to);
      await files.makeDirectory(parent);
      await files.removeAll(draft);
      const copy = new BackupCopy(opened, files, draft, this.#read);
      const size = await copy.make();
      await refuseTaken(files, to);
      await files.rename(draft, to);
      await files.syncDirectory(parent);
      return size;
    } catch (error) {
      // What cannot be removed now is removed by the next backup; why this one failed matters more.
      await files.removeAll(draft).catch(() => undefined);
      throw classifyFailure(error, `the file store in ${to}`, 'writing a backup');
    }
  }
}
