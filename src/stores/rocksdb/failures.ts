import { type ErrorCode, isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import { RocksdbError } from './rocksdb-error.ts';

/** What a failure of the database, or of a file beside it, means as one of this project's errors. */
export function classify(error: unknown, directory: string, doing: string): PersistenceError {
  if (isPersistenceError(error)) return error;
  const { code, says } = meaningOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  return new PersistenceError(code, `the rocksdb store in ${directory} ${says} (${doing}): ${reason}`, {
    cause: error,
  });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
}

const failed: Meaning = { code: 'STORE_IO_FAILED', says: 'failed' };
const full: Meaning = { code: 'DISK_FULL', says: 'has no room on its disk' };
const damaged: Meaning = { code: 'STORE_CORRUPT', says: 'is damaged' };

const meanings: Readonly<Record<string, Meaning>> = {
  ROCKSDB_LOCKED: { code: 'STORE_LOCKED', says: 'is owned by another process, or is open already' },
  ROCKSDB_NO_SPACE: full,
  ENOSPC: full,
  EDQUOT: full,
  ROCKSDB_CORRUPTION: damaged,
  ROCKSDB_INVALID_ARGUMENT: damaged,
  ROCKSDB_UNKNOWN_FAMILY: { code: 'STORE_CORRUPT', says: 'is none that macp-runtime could open' },
  ROCKSDB_CLOSED: { code: 'STORE_UNAVAILABLE', says: 'is being opened anew' },
};

function meaningOf(error: unknown): Meaning {
  const code = error instanceof RocksdbError ? error.code : (error as NodeJS.ErrnoException).code;
  return (code === undefined ? undefined : meanings[code]) ?? failed;
}
