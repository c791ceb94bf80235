import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Anonymous memory of a process, in MiB, from /proc (Linux): LevelDB's mapped files do not count. 0 once it is gone. */
export async function anonymousMebibytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** The most anonymous memory of a process from now to its end, in MiB. */
export async function peakMebibytes(child: ChildProcess): Promise<number> {
  let peak = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, await anonymousMebibytes(child.pid));
    await delay(50);
  }
  return peak;
}

/** Runs the command line with these words, and returns the most anonymous memory that it had, in MiB. */
export async function peakOfCommand(words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  const peak = await peakMebibytes(child);
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`${words[0]} ended with ${code}`);
  return peak;
}

/** Prints a peak of anonymous memory beside what is asked for, both in MiB. True when it is met. */
export function tellPeak(peak: number, most: number): boolean {
  const met = peak <= most;
  const verdict = met ? 'met' : 'MISSED';
  console.log(`  anonymous memory ${peak.toFixed(0)} MiB at most, asked for at most ${most}: ${verdict}`);
  return met;
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
