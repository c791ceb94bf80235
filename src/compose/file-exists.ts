import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether something lies at `path`. Whatever else is in the way is told when it is opened. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
}

/** Whether a database of LevelDB or RocksDB lies in `directory`: each keeps a file CURRENT there. */
export function databaseExists({ directory }: { readonly directory: string }): Promise<boolean> {
  return fileExists(join(directory, 'CURRENT'));
}
