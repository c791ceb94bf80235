/** One open file. Positions and lengths are bytes. */
export interface OpenFile extends AsyncDisposable {
  /** Reads into `target` from `position` until it is full or the file ends; resolves with the bytes read. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position`. After a rejection any part of them may have been written. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written, and the file's length, survive a power cut. After a rejection nothing is known. */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * `read`: an existing file. `write`: an existing file, also to write to. `create`: anew, emptied where one stood.
 * `keep`: to write to, with what it holds, or anew where there is none. `new`: anew; `EEXIST` where one stands.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'keep' | 'new';

/**
 * What the adapters that keep files of their own need of a file system. Failures are passed on as the operating
 * system names them: errors with a `code` such as `ENOSPC`, `EIO`, `ENOENT`.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Names of the entries of a directory, in no particular order. */
  list(directory: string): Promise<readonly string[]>;
  /**
   * Makes the directory and its missing parents, so that they survive a power cut; an existing one is left as it is,
   * and is made to survive as well.
   */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Makes the creation and removal of a directory's entries survive a power cut. */
  syncDirectory(path: string): Promise<void>;
}

/** Anything that has a name and is neither file nor directory is `other`. */
export type EntryKind = 'file' | 'directory' | 'other';

/** What lies under a name: how many bytes it has, and when its content changed last, in milliseconds since 1970. */
export interface FileStatus {
  readonly kind: EntryKind;
  readonly size: number;
  readonly modified: number;
}

/** An entry of a directory. Its name need not be UTF-8. */
export interface DirectoryEntry {
  readonly name: Uint8Array;
  readonly kind: EntryKind;
}

/** What an adapter needs besides, whose directories somebody else reads and writes as well. */
export interface SharedFileSystem extends FileSystem {
  /** As {@link FileSystem.open}; a new file gets the rights that the process gives to new files. */
  openShared(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Makes one directory, with the rights that the process gives to new ones, unless it is there. Nothing is synced. */
  makeShared(path: string): Promise<void>;
  /** What lies at `path`; undefined when there is nothing. Links are not followed. */
  status(path: string): Promise<FileStatus | undefined>;
  listEntries(directory: string): Promise<readonly DirectoryEntry[]>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a directory with all that is in it, if there is one. */
  removeAll(path: string): Promise<void>;
}
