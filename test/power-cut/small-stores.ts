import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { openFileStore } from '../../src/stores/file/file-store.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { openRocksdbStore } from '../../src/stores/rocksdb/rocksdb-store.ts';

const common = { files: nodeFileSystem, newId: randomUUID, probeBytes: 64 * 1024 } as const;

/** Stores so small that a few dozen commits fill every file, by the name of the directory that they lie in. */
const openers = {
  level: (directory: string) =>
    openLevelStore({
      ...common,
      directory,
      clock: systemClock,
      openDatabase: async (place) => {
        const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
        const database = new ClassicLevel<Uint8Array, Uint8Array>(place, { ...encodings, writeBufferSize: 64 * 1024 });
        await database.open();
        return database;
      },
    }),
  rocksdb: (directory: string) =>
    openRocksdbStore({
      ...common,
      directory,
      platform: `${process.platform}-${process.arch}`,
      writeBufferBytes: 64 * 1024,
    }),
  // A checkpoint every few commits, and fewer open logs than sessions.
  file: (directory: string) => openFileStore({ ...common, directory, checkpointBytes: 24 * 1024, openLogs: 2 }),
} as const satisfies Record<string, (directory: string) => Promise<Store>>;

export type SmallStoreKind = keyof typeof openers;

/** Where the store lies in a data directory. */
export function smallStorePlace(directory: string, kind: SmallStoreKind): string {
  return join(directory, kind);
}

/** Opens the store that lies in `place`. */
export function openSmallStore(place: string, kind: SmallStoreKind): Promise<Store> {
  return openers[kind](place);
}

/** The kind that a program was given; throws where it is none. */
export function smallStoreKind(text: string): SmallStoreKind {
  if (text === 'level' || text === 'rocksdb' || text === 'file') return text;
  throw new TypeError(`${text} is no kind of store here`);
}
