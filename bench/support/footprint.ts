import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Anonymous memory of a process, in MiB, from /proc (Linux): LevelDB's mapped files do not count. 0 once it is gone. */
export async function anonymousMebibytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** MiB that the files below a directory take on the disk. Files that go meanwhile do not count. */
export async function diskMebibytes(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(directory, file)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1024 ** 2;
}
