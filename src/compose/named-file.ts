import { readFile } from 'node:fs/promises';
import { PersistenceError } from '../domain/errors.ts';
import { systemCode } from './doctor/finding.ts';

/**
 * The contents of the file that a setting names, or undefined where it names none. Throws `INVALID_CONFIGURATION`
 * when it cannot be read.
 */
export async function readNamedFile(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    throw new PersistenceError('INVALID_CONFIGURATION', `${setting}: ${path} cannot be read (${systemCode(cause)})`, {
      cause,
    });
  }
}
