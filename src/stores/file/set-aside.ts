import { join } from 'node:path';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { Places, SessionFile } from './places.ts';

/** A file that was replaced or removed while somebody still read the session as it was before. */
interface AsideFile {
  readonly path: string;
  /** Settles once it lies there. */
  readonly moved: Promise<void>;
  readers: number;
}

/** Who reads sessions as they were at one moment. */
export class Reader {
  readonly #aside = new Map<string, AsideFile>();
  readonly #wants: (session: SessionId) => boolean;

  constructor(wants: (session: SessionId) => boolean) {
    this.#wants = wants;
  }

  get aside(): ReadonlyMap<string, AsideFile> {
    return this.#aside;
  }

  /** True when the file is still to be read, and was not set aside before. */
  needs(session: SessionId, file: SessionFile): boolean {
    return !this.#aside.has(nameOf(session, file)) && this.#wants(session);
  }

  find(session: SessionId, file: SessionFile): AsideFile | undefined {
    return this.#aside.get(nameOf(session, file));
  }

  take(session: SessionId, file: SessionFile, aside: AsideFile): void {
    this.#aside.set(nameOf(session, file), aside);
    aside.readers += 1;
  }
}

/**
 * Keeps files that are replaced or removed for those who read the session as it was: they are renamed, so nothing has to
 * stay open. What a process leaves there when it ends is removed by the next one.
 */
export class SetAside {
  readonly #files: SharedFileSystem;
  readonly #places: Places;
  readonly #bySession = new Map<SessionId, Set<Reader>>();
  readonly #ofAll = new Set<Reader>();
  #made = 0;

  constructor(files: SharedFileSystem, places: Places) {
    this.#files = files;
    this.#places = places;
  }

  /** From now on, nothing of the session is lost to the reader. */
  addReader(session: SessionId): Reader {
    const reader = new Reader((other) => other === session);
    const readers = this.#bySession.get(session) ?? new Set<Reader>();
    this.#bySession.set(session, readers.add(reader));
    return reader;
  }

  /** From now on, nothing of the sessions that it still `wants` is lost to the reader. */
  addReaderOfAll(wants: (session: SessionId) => boolean): Reader {
    const reader = new Reader(wants);
    this.#ofAll.add(reader);
    return reader;
  }

  /** The reader reads no more. Resolves once what nobody else reads is removed. */
  async removeReader(reader: Reader, session?: SessionId): Promise<void> {
    this.#ofAll.delete(reader);
    if (session !== undefined) {
      const readers = this.#bySession.get(session);
      readers?.delete(reader);
      if (readers?.size === 0) this.#bySession.delete(session);
    }
    for (const aside of reader.aside.values()) {
      aside.readers -= 1;
      if (aside.readers > 0) continue;
      await aside.moved.catch(() => undefined);
      await this.#files.removeAll(aside.path);
    }
  }

  /** Moves the file away if somebody still reads it. To be called right before it is replaced or removed. */
  async keep(session: SessionId, file: SessionFile): Promise<void> {
    const readers = [...(this.#bySession.get(session) ?? []), ...this.#ofAll].filter((one) => one.needs(session, file));
    if (readers.length === 0) return;
    this.#made += 1;
    const path = join(this.#places.setAside, `${this.#made}`);
    const aside = { path, moved: this.#move(this.#places.file(session, file), path), readers: 0 };
    for (const reader of readers) reader.take(session, file, aside);
    await aside.moved;
  }

  /**
   * Opens a file as the reader has to see it: what it was when the reader came. Rejects with `ENOENT` when it was not
   * there.
   */
  async open(reader: Reader, session: SessionId, file: SessionFile) {
    for (;;) {
      const aside = reader.find(session, file);
      await aside?.moved;
      try {
        const opened = await this.#files.open(aside?.path ?? this.#places.file(session, file), 'read');
        // It may have been moved, and another one taken its place, while this was being opened.
        if (reader.find(session, file) === aside) return opened;
        await opened.close();
      } catch (error) {
        if (reader.find(session, file) === aside) throw error;
      }
    }
  }

  async #move(from: string, to: string): Promise<void> {
    try {
      await this.#files.rename(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function nameOf(session: SessionId, file: SessionFile): string {
  return `${file} ${session}`;
}
