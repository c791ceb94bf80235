import { truth } from './kinds.ts';
import { setting } from './setting.ts';

/** What is set of a store on RocksDB besides its address. */
export const rocksdbSettings = {
  'rocksdb.newerReleasesOnly': setting(
    truth,
    false,
    'Whether only macp-storage 0.13.0 and newer will read the store; else it becomes so with its first receipt or anchor',
  ),
} as const;
