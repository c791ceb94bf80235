import { access } from 'node:fs/promises';

/** Whether something lies at `path`. Whatever else is in the way is told when it is opened. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
}
