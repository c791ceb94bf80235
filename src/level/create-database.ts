import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ClassicLevel } from 'classic-level';

/**
 * Creates an empty LevelDB in `directory`, whose parent exists, unless something lies there already. LevelDB never
 * syncs the first manifest of a database, so that a power cut in the first moments leaves one that does not open any
 * more ("no meta-nextfile entry in descriptor"); it is therefore created beside its place, opened and closed once,
 * which syncs a second manifest, and renamed (docs/decisions/0009-power-cut-model.md). Throws what LevelDB or the file
 * system throws; `LEVEL_LOCKED` when another process is creating it just now.
 */
export async function createLevelDatabase(directory: string): Promise<void> {
  if (await holdsSomething(directory)) return;
  await createBeside(directory, `${directory}.new`, async (draft) => {
    const database = new ClassicLevel(draft);
    try {
      await database.open();
    } finally {
      await database.close();
    }
  });
}

/**
 * Makes a LevelDB as `draft`, in the place beside `directory`, and renames it once `make` is done; whatever an
 * interrupted attempt left there is removed first. `make` fills the empty directory, closes the database again, and
 * sees to it that its files survive a power cut; that their names do is seen to here. When it fails, what
 * it made stays until the next attempt. What another process has put there meanwhile stays; where one is in the midst of
 * that, `LEVEL_LOCKED`.
 */
export async function createBeside(
  directory: string,
  draft: string,
  make: (draft: string) => Promise<void>,
): Promise<void> {
  try {
    await ClassicLevel.destroy(draft);
    await mkdir(draft, { mode: 0o700 });
    await make(draft);
    await syncDirectory(draft);
    await putInPlace(draft, directory);
  } catch (error) {
    throw isDisturbed(error) ? locked(directory, error) : error;
  }
  await syncDirectory(dirname(directory));
}

async function putInPlace(draft: string, directory: string): Promise<void> {
  try {
    await rename(draft, directory);
  } catch (error) {
    if (!isTaken(error)) throw error;
    await ClassicLevel.destroy(draft);
  }
}

/** Another process makes its own draft at the same moment, and has removed this one, or was there first. */
function isDisturbed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isMissing = codeOf(error) === 'ENOENT' || /No such file or directory/.test(error.message);
  return isMissing || codeOf(error) === 'EEXIST' || isDisturbed(error.cause);
}

function locked(directory: string, cause: unknown): Error {
  return Object.assign(new Error(`another process is creating ${directory} just now`, { cause }), {
    code: 'LEVEL_LOCKED',
  });
}

/** Another process, which was started at the same moment, has put its own there. */
function isTaken(error: unknown): boolean {
  return codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function holdsSomething(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length > 0;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
