import type { SessionId } from '../../domain/identifiers.ts';
import type { OpenFile, SharedFileSystem } from '../../ports/file-system.ts';
import type { Places } from './places.ts';

/** The log files that were written last, kept open within a bound. */
export class OpenLogs {
  readonly #files: SharedFileSystem;
  readonly #places: Places;
  readonly #most: number;
  readonly #open = new Map<SessionId, OpenFile>();

  constructor(files: SharedFileSystem, places: Places, most: number) {
    this.#files = files;
    this.#places = places;
    this.#most = most;
  }

  /** The log of a session, open to be written, made when it is missing. Not to be closed by whoever asked. */
  async get(session: SessionId): Promise<OpenFile> {
    const found = this.#open.get(session);
    if (found !== undefined) {
      this.#open.delete(session);
      this.#open.set(session, found);
      return found;
    }
    const file = await this.#files.openShared(this.#places.file(session, 'log'), 'keep');
    this.#open.set(session, file);
    return file;
  }

  /** Closes what is open of the session, because its file is about to be another one. */
  async forget(session: SessionId): Promise<void> {
    const file = this.#open.get(session);
    this.#open.delete(session);
    await file?.close();
  }

  /** Closes those used longest ago until the bound is kept. Nobody may be using any. */
  async trim(): Promise<void> {
    for (const [session, file] of this.#open) {
      if (this.#open.size <= this.#most) return;
      this.#open.delete(session);
      await file.close();
    }
  }

  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    for (const file of files) await file.close();
  }
}
