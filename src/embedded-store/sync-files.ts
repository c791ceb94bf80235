import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system.ts';

/** Makes what the files in a directory hold survive a power cut; their names do not yet. */
export async function syncFiles(files: FileSystem, directory: string): Promise<void> {
  for (const name of await files.list(directory)) {
    await using file = await files.open(join(directory, name), 'read');
    await file.datasync();
  }
}
