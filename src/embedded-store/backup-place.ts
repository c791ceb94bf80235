import { relative, sep } from 'node:path';
import { PersistenceError } from '../domain/errors.ts';
import type { FileSystem } from '../ports/file-system.ts';

/** Throws `INVALID_INPUT` for a place within the store's own directory. */
export function refuseInside(store: string, to: string): void {
  const [first] = relative(store, to).split(sep);
  if (first === '..') return;
  throw new PersistenceError('INVALID_INPUT', `a backup of the store in ${store} cannot lie within it`);
}

/** Throws `INVALID_INPUT` where something lies already. */
export async function refuseTaken(files: FileSystem, to: string): Promise<void> {
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
