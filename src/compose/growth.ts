import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Values } from '../configuration/settings.ts';
import { systemClock } from '../platform/system-clock.ts';
import { storeAddress } from './open.ts';

const interval = 500;

/** Bytes of all files below a directory; 0 where there is none. What vanishes meanwhile does not count. */
export async function sizeBelow(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = names.map((name) =>
    lstat(join(directory, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** How many bytes the store takes on this machine's disk; undefined where it does not lie in a directory. */
export async function storeSize(values: Values): Promise<number | undefined> {
  const address = storeAddress(values);
  return 'directory' in address ? sizeBelow(address.directory) : undefined;
}

/** Tells how many bytes `directory` has grown by since the call, while `work` is under way; resolves with its result. */
export async function whileGrowing<Result>(
  directory: string,
  onGrowth: (bytes: number) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const start = await sizeBelow(directory);
  const over = new AbortController();
  const watching = (async () => {
    for (;;) {
      await systemClock.sleep(interval, over.signal);
      onGrowth(Math.max(0, (await sizeBelow(directory)) - start));
    }
  })().catch(() => undefined);
  try {
    return await work();
  } finally {
    over.abort();
    await watching;
  }
}
