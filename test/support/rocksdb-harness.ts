import { randomUUID } from 'node:crypto';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import {
  openRocksdbStore,
  type RocksdbStore,
  type RocksdbStoreOptions,
} from '../../src/stores/rocksdb/rocksdb-store.ts';
import { directoryHarness } from './directory-harness.ts';

/** The machine, as the addon's places name it. */
export const thisPlatform = `${process.platform}-${process.arch}`;

/** Opens the store in `directory` as the program does. */
export function openRocksdb(directory: string, options: Partial<RocksdbStoreOptions> = {}): Promise<RocksdbStore> {
  return openRocksdbStore({
    directory,
    platform: thisPlatform,
    files: nodeFileSystem,
    newId: randomUUID,
    ...options,
  });
}

export const rocksdbHarness = directoryHarness('upstream', 'rocksdb-store-', (directory) => openRocksdb(directory));
