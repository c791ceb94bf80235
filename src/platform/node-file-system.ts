import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EntryKind, FileStatus, OpenFile, OpenMode, SharedFileSystem } from '../ports/file-system.ts';

const flags: Readonly<Record<OpenMode, string | number>> = {
  read: 'r',
  write: 'r+',
  create: 'w+',
  keep: constants.O_RDWR | constants.O_CREAT,
  new: 'wx+',
};

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    // A disk that fills up takes a part and reports the error only for the rest.
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Step by step, because Node's own recursive mkdir reports a full disk as ENOENT, and never ends in /proc. */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path);
  const problem = await tryDirectory(path);
  if (problem !== undefined) {
    if (codeOf(problem) !== 'ENOENT' || parent === path) throw problem;
    await makeDirectory(parent);
    // Missing still, although its parent is there: nothing can be made in it.
    const again = await tryDirectory(path);
    if (again !== undefined) throw again;
  }
  // Also when it was there: whoever made it may have died before this.
  await syncDirectory(parent).catch(ignoreForbidden);
}

/** A parent that cannot be read is somebody else's, who made this directory before. */
function ignoreForbidden(error: unknown): void {
  if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error;
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes one directory; resolves with what was thrown when there is none afterwards. */
async function tryDirectory(path: string): Promise<unknown> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    return codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory() ? undefined : error;
  }
  return undefined;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function makeShared(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

function kindOf(found: { isFile(): boolean; isDirectory(): boolean }): EntryKind {
  if (found.isFile()) return 'file';
  return found.isDirectory() ? 'directory' : 'other';
}

async function status(path: string): Promise<FileStatus | undefined> {
  try {
    const found = await lstat(path);
    return { kind: kindOf(found), size: found.size, modified: found.mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file system of the machine, through `node:fs`. */
export const nodeFileSystem: SharedFileSystem = {
  async open(path, mode) {
    return new NodeFile(await open(path, flags[mode], 0o600));
  },
  async openShared(path, mode) {
    return new NodeFile(await open(path, flags[mode]));
  },
  list: (directory) => readdir(directory),
  async listEntries(directory) {
    const entries = await readdir(directory, { encoding: 'buffer', withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  },
  makeDirectory,
  makeShared,
  status,
  rename,
  remove: (path) => rm(path),
  removeAll: (path) => rm(path, { recursive: true, force: true }),
  syncDirectory,
};
