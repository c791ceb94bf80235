import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import {
  openRocksdbStore,
  type RocksdbStore,
  type RocksdbStoreOptions,
} from '../../src/stores/rocksdb/rocksdb-store.ts';

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

export const rocksdbHarness: StoreHarness = {
  capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'upstream', backup: true },
  async create() {
    const parent = await mkdtemp(join(tmpdir(), 'rocksdb-store-'));
    const directory = join(parent, 'store');
    let store = await openRocksdb(directory);
    let backups = 0;
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await openRocksdb(directory);
    };
    return {
      get store() {
        return store;
      },
      reopen,
      backups: {
        newDirectory() {
          backups += 1;
          return join(parent, 'backups', `${backups}`);
        },
        open: (backup) => openRocksdb(backup),
        async putBack(backup) {
          await store.close();
          await rm(directory, { recursive: true });
          await rename(backup, directory);
          await reopen();
        },
      },
      async dispose() {
        await store.close();
        await rm(parent, { recursive: true });
      },
    };
  },
};
