import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { StoreAddress } from '../configuration/addresses.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import type { StoreAdapter } from './adapter.ts';
import { fileExists } from './file-exists.ts';

/** The store on RocksDB. Its addon is loaded only where it is used. */
export const rocksdbAdapter: StoreAdapter<Extract<StoreAddress, { readonly kind: 'rocksdb' }>> = {
  async open({ directory }, values) {
    const { openRocksdbStore } = await import('../stores/rocksdb/rocksdb-store.ts');
    return openRocksdbStore({
      directory,
      platform: `${process.platform}-${process.arch}`,
      files: nodeFileSystem,
      newId: randomUUID,
      newerReleasesOnly: values['rocksdb.newerReleasesOnly'],
      adoptChanges: values.adoptChanges,
    });
  },
  exists: ({ directory }) => fileExists(join(directory, 'CURRENT')),
};
