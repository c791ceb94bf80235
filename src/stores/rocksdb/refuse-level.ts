import { PersistenceError } from '../../domain/errors.ts';
import type { FileSystem } from '../../ports/file-system.ts';

/** RocksDB has had one of them since long before macp-storage; LevelDB never has. */
const onlyInRocksdb = /^IDENTITY$|^OPTIONS-|\.sst$/;

/**
 * Throws `STORE_CORRUPT` for the directory of a LevelDB, which RocksDB would open, and make its own. One that is still
 * small has no table, only a log; a new RocksDB has its identity before it has a log.
 */
export async function refuseLevel(files: FileSystem, directory: string): Promise<void> {
  const names = await files.list(directory);
  const hasLog = names.some((name) => name.endsWith('.log'));
  const isLevel = names.some((name) => name.endsWith('.ldb')) || (hasLog && !names.some(isOnlyInRocksdb));
  if (isLevel)
    throw new PersistenceError('STORE_CORRUPT', `${directory} holds a LevelDB database: is it a level store?`);
}

function isOnlyInRocksdb(name: string): boolean {
  return onlyInRocksdb.test(name);
}
