import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Counts what a process that runs already syncs, from outside. */
export interface SyncCounter {
  /** Ends the counting: how many calls of fsync and fdatasync there were. */
  end(): Promise<number>;
}

/** Watches a process and all of its threads with strace, which writes to `file`. Resolves once it does. */
export async function countSyncs(pid: number, file: string): Promise<SyncCounter> {
  const parameters = ['-f', '-e', 'trace=fsync,fdatasync', '-o', file, '-p', String(pid)];
  const strace = spawn('strace', parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(strace, 'exit');
  const lines = createInterface({ input: strace.stderr });
  const told: string[] = [];
  const attached = (async () => {
    for await (const line of lines) {
      told.push(line);
      if (/attached/.test(line)) return;
    }
    throw new Error(`strace does not watch process ${pid}: ${told.join('\n')}`);
  })();
  await attached;
  return {
    async end() {
      strace.kill('SIGINT');
      await exited;
      const calls = (await readFile(file, 'utf8')).split('\n');
      return calls.filter((line) => /\b(fsync|fdatasync)\(/.test(line)).length;
    },
  };
}
