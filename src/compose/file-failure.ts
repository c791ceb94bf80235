import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { systemCode } from './doctor/finding.ts';

/**
 * What a failure of the file system, while files of a store were worked on, means: `DISK_FULL` or `STORE_IO_FAILED`.
 * `what` says what did not come about. A failure that has a code of ours keeps it.
 */
export function fileFailure(cause: unknown, what: string): PersistenceError {
  if (isPersistenceError(cause)) return cause;
  const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(cause));
  return new PersistenceError(isFull ? 'DISK_FULL' : 'STORE_IO_FAILED', what, { cause });
}
