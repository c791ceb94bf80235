import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';

/** What a process is given by the machine that it runs on. */
export interface Machine {
  /** Of Node.js, such as `20.19.0`. */
  readonly nodeVersion: string;
  /** Bytes of memory that this process may take at most. */
  readonly memory: number;
  /** Files that this process may have open at a time; undefined where nobody says. */
  readonly openFiles: number | undefined;
  /** User id of this process; undefined where users have none. */
  readonly user: number | undefined;
}

export async function thisMachine(): Promise<Machine> {
  // Without a limit of the container the answer is 0, or more than there is.
  const limit = process.constrainedMemory();
  return {
    nodeVersion: process.versions.node,
    memory: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    openFiles: await openFilesLimit(),
    user: process.getuid?.(),
  };
}

/** Linux tells it in a file; elsewhere nobody does without a shell. */
async function openFilesLimit(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files +(\d+) /m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
