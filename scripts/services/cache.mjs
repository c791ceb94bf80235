import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where what is fetched once is kept between runs: as the XDG base directory specification says. */
export const cacheDirectory = () => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'macp-persist');

/**
 * A directory of the cache, filled on first use. It appears whole or not at all, however many processes fill it at once.
 *
 * @param {string} name names the content and its version
 * @param {(directory: string) => Promise<void>} fill fills an empty directory, whose name is not the final one
 * @returns {Promise<string>} the directory
 */
export async function cached(name, fill) {
  const directory = join(cacheDirectory(), name);
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const unfinished = mkdtempSync(join(dirname(directory), `${basename(directory)}-`));
  try {
    await fill(unfinished);
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process was done first: its content is the same.
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}
