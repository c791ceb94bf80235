import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PersistenceError } from '../domain/errors.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import { fileFailure } from './file-failure.ts';

/*
 * A directory of a store can stand for another one: a file beside it, `DIRECTORY.current`, names where the store lies,
 * and where it lay before. It is read when a store is opened, so that a switch is one rename, which whoever has the
 * old directory open does not notice before it opens the store anew.
 */

/** Paths, relative to where the pointer lies. */
interface Pointer {
  readonly directory: string;
  readonly previous: string;
}

/** Where the store of a directory lies, and where it lay before; undefined where it never lay elsewhere. */
export interface Switched {
  readonly directory: string;
  readonly previous: string;
}

/** The directory in which the store of `directory` lies: itself, unless it was switched. */
export function pointedDirectory(directory: string): string {
  return readPointer(directory)?.directory ?? directory;
}

/** What `directory` stands for by a switch: the file that says so, and both stores; nothing where there was none. */
export function switchedPaths(directory: string): readonly string[] {
  const switched = readPointer(directory);
  return switched === undefined ? [] : [pointerOf(directory), switched.directory, switched.previous];
}

/** Where the store of `directory` was switched to. Throws `INVALID_CONFIGURATION` for a pointer that cannot be read. */
export function readPointer(directory: string): Switched | undefined {
  const file = pointerOf(directory);
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const pointer = parse(text);
  if (pointer === undefined) {
    throw new PersistenceError('INVALID_CONFIGURATION', `${file} does not say where the store lies: remove or mend it`);
  }
  const from = (path: string): string => resolve(dirname(directory), path);
  return { directory: from(pointer.directory), previous: from(pointer.previous) };
}

/**
 * Switches the store of `directory`, atomically and so that it survives a power cut. Throws `DISK_FULL`, and
 * `STORE_IO_FAILED` for whatever else the file system says.
 */
export async function writePointer(directory: string, switched: Switched): Promise<void> {
  try {
    await replacePointer(directory, switched);
  } catch (error) {
    throw fileFailure(error, `nothing was switched: ${pointerOf(directory)} cannot be written`);
  }
}

async function replacePointer(directory: string, switched: Switched): Promise<void> {
  const folder = dirname(directory);
  const file = pointerOf(directory);
  const draft = `${file}.draft`;
  const near = (path: string): string => (dirname(path) === folder ? basename(path) : path);
  const pointer: Pointer = { directory: near(switched.directory), previous: near(switched.previous) };
  {
    await using opened = await nodeFileSystem.open(draft, 'create');
    await opened.write(Buffer.from(`${JSON.stringify(pointer)}\n`, 'utf8'), 0);
    await opened.datasync();
  }
  await nodeFileSystem.rename(draft, file);
  await nodeFileSystem.syncDirectory(folder);
}

function pointerOf(directory: string): string {
  return join(dirname(directory), `${basename(directory)}.current`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A file may stand where its directory would.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new PersistenceError('INVALID_CONFIGURATION', `${file} cannot be read`, { cause: error });
  }
}

function parse(text: string): Pointer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPointer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPointer(value: unknown): value is Pointer {
  if (typeof value !== 'object' || value === null || !('directory' in value && 'previous' in value)) return false;
  const { directory, previous } = value;
  return [directory, previous].every((path) => typeof path === 'string' && path !== '');
}
