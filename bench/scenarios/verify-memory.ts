import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { fillStore } from '../support/fill-store.ts';
import { peakOfCommand, tellPeak } from '../support/footprint.ts';

const limitMebibytes = 400;

/** The most anonymous memory of a real `verify` over two stores of so many entries. LevelDB's mapped files do not count. */
export async function verifyMemory(entries: number): Promise<boolean> {
  const directory = await benchDirectory('verify-memory');
  try {
    const [first, second] = [join(directory, 'first'), join(directory, 'second')];
    await fillStore(first, entries);
    await cp(first, second, { recursive: true });
    const start = performance.now();
    const peak = await peakOfCommand(['verify', `level:${first}`, `level:${second}`]);
    const seconds = (performance.now() - start) / 1000;
    console.log(`\nAnonymous memory of verify over two stores of ${entries} entries each, ${seconds.toFixed(0)} s`);
    return tellPeak(peak, limitMebibytes);
  } finally {
    await removeDirectory(directory);
  }
}
