import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { fillStore } from '../support/fill-store.ts';
import { peakMebibytes } from '../support/footprint.ts';

const limitMebibytes = 400;
const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** The most anonymous memory of a real `verify` over two stores of so many entries. LevelDB's mapped files do not count. */
export async function verifyMemory(entries: number): Promise<boolean> {
  const directory = await benchDirectory('verify-memory');
  try {
    const [first, second] = [join(directory, 'first'), join(directory, 'second')];
    await fillStore(first, entries);
    await cp(first, second, { recursive: true });
    const start = performance.now();
    const peak = await peakOfVerify(first, second);
    const seconds = (performance.now() - start) / 1000;
    const met = peak <= limitMebibytes;
    console.log(`\nAnonymous memory of verify over two stores of ${entries} entries each, ${seconds.toFixed(0)} s`);
    console.log(
      `  peak RssAnon ${peak.toFixed(0)} MiB, asked for at most ${limitMebibytes}: ${met ? 'met' : 'MISSED'}`,
    );
    return met;
  } finally {
    await removeDirectory(directory);
  }
}

async function peakOfVerify(first: string, second: string): Promise<number> {
  const child = spawn(process.execPath, [cli, 'verify', `level:${first}`, `level:${second}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  const peak = await peakMebibytes(child);
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`verify ended with ${code}`);
  return peak;
}
