import { randomUUID } from 'node:crypto';
import type { StoreAddress } from '../configuration/addresses.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import type { StoreAdapter, UpstreamAdapter } from './adapter.ts';
import { databaseExists } from './file-exists.ts';

/** The store on RocksDB. Its addon is loaded only where it is used. */
export const rocksdbAdapter: StoreAdapter<Extract<StoreAddress, { readonly kind: 'rocksdb' }>> = {
  async open({ directory }, values) {
    const { openRocksdbStore } = await import('../stores/rocksdb/rocksdb-store.ts');
    return openRocksdbStore({
      directory,
      platform: thisMachine(),
      files: nodeFileSystem,
      newId: randomUUID,
      newerReleasesOnly: values['rocksdb.newerReleasesOnly'],
      adoptChanges: values.adoptChanges,
    });
  },
  exists: databaseExists,
  directories: ({ directory }) => [directory],
};

/** What macp-runtime has stored in RocksDB. */
export const upstreamRocksdbAdapter: UpstreamAdapter<Extract<StoreAddress, { readonly kind: 'rocksdb' }>> = {
  async examine(address) {
    if (!(await databaseExists(address))) return 'nothing';
    const { examineUpstreamRocksdb } = await import('../stores/rocksdb/upstream-source.ts');
    return examineUpstreamRocksdb({ directory: address.directory, platform: thisMachine(), files: nodeFileSystem });
  },
  async open({ directory }) {
    const { openUpstreamRocksdb } = await import('../stores/rocksdb/upstream-source.ts');
    return openUpstreamRocksdb({ directory, platform: thisMachine(), files: nodeFileSystem });
  },
};

/** As the addon's places name it. */
function thisMachine(): string {
  return `${process.platform}-${process.arch}`;
}
