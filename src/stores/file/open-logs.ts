import type { SessionId } from '../../domain/identifiers.ts';
import type { OpenFile, SharedFileSystem } from '../../ports/file-system.ts';
import type { Places } from './places.ts';

interface OpenLog {
  readonly file: OpenFile;
  /** True while it is written. */
  busy: boolean;
}

/** The log files that were written last, kept open within a bound. Nobody writes one log twice at the same time. */
export class OpenLogs {
  readonly #files: SharedFileSystem;
  readonly #places: Places;
  readonly #most: number;
  /** Those written longest ago come first. */
  readonly #open = new Map<SessionId, OpenLog>();

  /** At most `most` stay open; while they are all being written, so many more are open as are written. */
  constructor(files: SharedFileSystem, places: Places, most: number) {
    this.#files = files;
    this.#places = places;
    this.#most = most;
  }

  /** Writes to the log of a session, which is made when it is missing. */
  async write(session: SessionId, bytes: Uint8Array, offset: number): Promise<void> {
    const log = this.#open.get(session) ?? { file: await this.#openLog(session), busy: true };
    log.busy = true;
    this.#open.delete(session);
    this.#open.set(session, log);
    try {
      await this.#trim();
      await log.file.write(bytes, offset);
    } finally {
      log.busy = false;
    }
  }

  /** Closes what is open of the session, because its file is about to be another one. */
  async forget(session: SessionId): Promise<void> {
    const log = this.#open.get(session);
    this.#open.delete(session);
    await log?.file.close();
  }

  async close(): Promise<void> {
    const logs = [...this.#open.values()];
    this.#open.clear();
    for (const { file } of logs) await file.close();
  }

  #openLog(session: SessionId): Promise<OpenFile> {
    return this.#files.openShared(this.#places.file(session, 'log'), 'keep');
  }

  /** Closes those written longest ago until the bound is kept. */
  async #trim(): Promise<void> {
    for (const [session, log] of this.#open) {
      if (this.#open.size <= this.#most) return;
      if (log.busy) continue;
      this.#open.delete(session);
      await log.file.close();
    }
  }
}
