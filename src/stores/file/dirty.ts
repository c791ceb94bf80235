import type { SessionId } from '../../domain/identifiers.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { FileEffect } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import { type Places, type SessionFile, sessionFiles } from './places.ts';

/** Syncs at a time: each takes one of the few threads that commits need as well. */
const syncsAtOnce = 2;

/** What was written since the last checkpoint, and has to be synced by the next. */
export class Dirty {
  /** Files whose content changed: a bit each. */
  readonly #files = new Map<SessionId, number>();
  /** Sessions in whose folder a name changed. */
  readonly #folders = new Set<SessionId>();
  /** True when a session's folder was made or removed. */
  #list = false;

  /** These effects were done. */
  note(effects: readonly FileEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'make':
        case 'delete':
          this.#list = true;
          break;
        case 'append':
          this.#file(effect.session, 'log');
          if (effect.offset === 0) this.#folders.add(effect.session);
          break;
        case 'write':
          this.#file(effect.session, effect.file);
          this.#folders.add(effect.session);
          break;
        case 'remove':
          this.#folders.add(effect.session);
          break;
      }
    }
  }

  /** Syncs all of it: what was removed since then is the matter of the commit that removed it. */
  async sync(files: SharedFileSystem, places: Places): Promise<void> {
    await inParallel(this.#paths(places), syncsAtOnce, (path) => syncFile(files, path));
    await inParallel(this.#folders, syncsAtOnce, (session) => syncFolder(files, places.session(session)));
    if (this.#list) await files.syncDirectory(places.sessions);
  }

  #file(session: SessionId, file: SessionFile): void {
    this.#files.set(session, (this.#files.get(session) ?? 0) | (1 << sessionFiles.indexOf(file)));
  }

  *#paths(places: Places): Generator<string> {
    for (const [session, bits] of this.#files) {
      for (const [index, file] of sessionFiles.entries()) {
        if ((bits & (1 << index)) !== 0) yield places.file(session, file);
      }
    }
  }
}

async function syncFile(files: SharedFileSystem, path: string): Promise<void> {
  try {
    await using file = await files.open(path, 'read');
    await file.datasync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function syncFolder(files: SharedFileSystem, path: string): Promise<void> {
  try {
    await files.syncDirectory(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
