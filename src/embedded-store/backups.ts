import { dirname, join, relative, resolve, sep } from 'node:path';
import { PersistenceError } from '../domain/errors.ts';
import type { SharedFileSystem } from '../ports/file-system.ts';
import type { BackupSize } from '../ports/store.ts';
import { Turns } from '../turns/turns.ts';
import type { Engine, Guard, OpenedEngine } from './engine.ts';

/** What backups are made of. */
export interface BackedUp {
  readonly engine: Engine;
  readonly files: SharedFileSystem;
  /** Rejects when the engine is not open now. */
  readonly opened: () => Promise<OpenedEngine>;
  readonly guard: Guard;
}

/**
 * Makes backups of one store, one at a time. Each is written beside its place and renamed once it is durable. Its draft
 * is named after the store, so that only this store's backups remove it (docs/decisions/0011-totals-and-backups.md).
 */
export class Backups {
  readonly #of: BackedUp;
  readonly #turns = new Turns();

  constructor(of: BackedUp) {
    this.#of = of;
  }

  /** See `Store.backup`. */
  make(directory: string): Promise<BackupSize> {
    return this.#turns.take(() => this.#make(resolve(directory)));
  }

  /** Resolves once no backup is under way. Those of a closed store end at their next read of it. */
  settled(): Promise<void> {
    return this.#turns.take(async () => undefined);
  }

  async #make(to: string): Promise<BackupSize> {
    const { engine, files, guard } = this.#of;
    const opened = await this.#of.opened();
    const parent = dirname(to);
    const draft = join(parent, `unfinished-backup-${opened.identity.id}`);
    for (const own of engine.directories) refuseInside(own, to);
    if (to === draft) throw new PersistenceError('INVALID_INPUT', `${to} is where backups lie until they are finished`);
    try {
      await refuseTaken(files, to);
      await files.makeDirectory(parent);
      await files.removeAll(draft);
      const size = await opened.copyTo(draft, guard);
      await refuseTaken(files, to);
      await files.rename(draft, to);
      await files.syncDirectory(parent);
      return size;
    } catch (error) {
      // What cannot be removed now is removed by the next backup; why this one failed matters more.
      await files.removeAll(draft).catch(() => undefined);
      throw engine.classify(error, 'writing a backup', to);
    }
  }
}

/** Throws `INVALID_INPUT` for a place within the store's own directory. */
function refuseInside(store: string, to: string): void {
  const [first] = relative(store, to).split(sep);
  if (first === '..') return;
  throw new PersistenceError('INVALID_INPUT', `a backup of the store in ${store} cannot lie within it`);
}

/** Throws `INVALID_INPUT` where something lies already. */
async function refuseTaken(files: SharedFileSystem, to: string): Promise<void> {
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
