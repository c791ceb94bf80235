import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { peakMebibytes } from '../support/footprint.ts';
import { fillQueue, openQueue } from '../support/pipeline.ts';

const limitMebibytes = 300;
const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** The most anonymous memory of a real worker process while it persists a backlog. LevelDB's mapped files do not count. */
export async function backlogMemory(commands: number): Promise<boolean> {
  const directory = await benchDirectory('memory');
  try {
    await using queue = await openQueue(join(directory, 'queue'));
    await fillQueue(queue, 5_000, commands);
    await queue.close();
    const peak = await peakOfWorker(directory);
    const met = peak <= limitMebibytes;
    console.log(`\nAnonymous memory of a worker with a backlog of ${commands} commands`);
    console.log(
      `  peak RssAnon ${peak.toFixed(0)} MiB, asked for at most ${limitMebibytes}: ${met ? 'met' : 'MISSED'}`,
    );
    return met;
  } finally {
    await removeDirectory(directory);
  }
}

async function peakOfWorker(directory: string): Promise<number> {
  const child = spawn(process.execPath, [cli, 'worker', '--exit-when-caught-up', '--data-dir', directory], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  const peak = await peakMebibytes(child);
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
  return peak;
}
