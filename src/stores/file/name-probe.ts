import { join } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';

/** Names that a session may have, and names of other sessions that a file system might take for the same. */
const pairs: readonly (readonly [name: string, other: string])[] = [
  ['probe-case', 'PROBE-case'],
  ['probe-\u00e9', 'probe-e\u0301'],
  ['probe-end', 'probe-end. '],
  ['probe-:*?"<>|\n%\u007f', 'probe-'],
  [`probe-${'x'.repeat(249)}`, `probe-${'x'.repeat(248)}`],
];

/**
 * Session ids are names of folders. Throws `NOT_SUPPORTED` where the file system refuses some, or takes two for one: one
 * session's entries would end in the log of another.
 */
export async function checkNames(files: SharedFileSystem, directory: string): Promise<void> {
  for (const [name, other] of pairs) {
    const path = join(directory, name);
    try {
      await using _ = await files.open(path, 'create');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EINVAL' && code !== 'ENAMETOOLONG' && code !== 'EILSEQ' && code !== 'ENOENT') throw error;
      throw unsuitable(directory, `it refuses the name ${JSON.stringify(name)} (${code})`);
    }
    const isSame = (await files.status(join(directory, other))) !== undefined;
    await files.removeAll(path);
    if (isSame) throw unsuitable(directory, `it takes ${JSON.stringify(other)} for ${JSON.stringify(name)}`);
  }
}

function unsuitable(directory: string, problem: string): PersistenceError {
  return new PersistenceError(
    'NOT_SUPPORTED',
    `the file system of ${directory} cannot tell all session ids apart: ${problem}. Use another, or another kind of store`,
  );
}
