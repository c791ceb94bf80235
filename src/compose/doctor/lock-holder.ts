import { readFile, stat } from 'node:fs/promises';

/** A process that holds a lock. */
export interface LockHolder {
  readonly pid: number;
  /** Its command line; empty where it may not be read. */
  readonly command: string;
}

/**
 * Who holds the POSIX lock on a file, as Linux tells in /proc/locks; undefined where nobody does, or nobody says.
 * Device numbers differ between there and stat(2) on some file systems: the inode decides.
 */
export async function lockHolder(path: string): Promise<LockHolder | undefined> {
  try {
    const { ino } = await stat(path);
    const pid = holderOf(await readFile('/proc/locks', 'utf8'), ino);
    return pid === undefined ? undefined : { pid, command: await commandLine(pid) };
  } catch {
    return undefined;
  }
}

/** The process in the text of /proc/locks that holds the inode; locks that are only waited for begin with an arrow. */
export function holderOf(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, pid, held] = /^\d+: (?!->)\S+ +\S+ +\S+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
    if (Number(held) === inode) return Number(pid);
  }
  return undefined;
}

async function commandLine(pid: number): Promise<string> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return words.split('\0').join(' ').trim();
}
