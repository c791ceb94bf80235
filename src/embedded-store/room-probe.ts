import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system.ts';

const probeName = 'room-probe';
const mebibyte = 1024 * 1024;

/**
 * Proves that there is room for `bytes` more in `directory`, by writing and syncing a file of that size and removing
 * it. Rejects with what the operating system says.
 */
export async function probeRoom(files: FileSystem, directory: string, bytes: number): Promise<void> {
  try {
    const file = await files.open(join(directory, probeName), 'create');
    try {
      const block = Buffer.alloc(mebibyte, 0x55);
      for (let at = 0; at < bytes; at += block.length) await file.write(block, at);
      await file.datasync();
    } finally {
      await file.close();
    }
  } finally {
    await removeProbe(files, directory);
  }
}

/** Removes what a probe left that was interrupted. */
export async function removeProbe(files: FileSystem, directory: string): Promise<void> {
  try {
    await files.remove(join(directory, probeName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
