import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import type { FileSystem, OpenFile } from '../../src/ports/file-system.ts';

/** Told of each change before it is made: it may hold it up, or reject instead of it. `bytes`: what is to be written. */
export type BeforeEffect = (effect: string, write?: (bytes: number) => Promise<void>) => Promise<void>;

/** The file system of this machine, whose every change is told first. */
export function hookedFiles(before: BeforeEffect): FileSystem {
  const hooked = (file: OpenFile): OpenFile => ({
    read: (target, position) => file.read(target, position),
    async write(bytes, position) {
      await before('write', (count) => file.write(bytes.subarray(0, Math.min(count, bytes.length)), position));
      await file.write(bytes, position);
    },
    async datasync() {
      await before('sync');
      await file.datasync();
    },
    async truncate(length) {
      await before('truncate');
      await file.truncate(length);
    },
    size: () => file.size(),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  });
  return {
    async open(path, mode) {
      if (mode !== 'read' && mode !== 'write') await before('create');
      return hooked(await nodeFileSystem.open(path, mode));
    },
    list: (directory) => nodeFileSystem.list(directory),
    async makeDirectory(path) {
      await before('make directory');
      await nodeFileSystem.makeDirectory(path);
    },
    async remove(path) {
      await before('remove');
      await nodeFileSystem.remove(path);
    },
    async syncDirectory(path) {
      await before('sync directory');
      await nodeFileSystem.syncDirectory(path);
    },
  };
}

/** A file system that does nothing any more from that change on; of one that writes, so many bytes are written still. */
export function filesUntil(last: number, torn: number): { readonly files: FileSystem; readonly isOver: () => boolean } {
  let effects = 0;
  const files = hookedFiles(async (_, write) => {
    effects += 1;
    if (effects < last) return;
    if (effects === last) await write?.(torn);
    throw Object.assign(new Error('EIO: the disk is gone'), { code: 'EIO' });
  });
  return { files, isOver: () => effects >= last };
}
