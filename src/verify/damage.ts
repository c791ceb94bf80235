import { isPersistenceError, type PersistenceError } from '../domain/errors.ts';

/** True when a store could not be read because of what it holds: a finding, not the end of a comparison. */
export function isDamage(error: unknown): error is PersistenceError {
  // What is read as macp-runtime reads it is somebody's input.
  return isPersistenceError(error, 'STORE_CORRUPT') || isPersistenceError(error, 'INVALID_INPUT');
}
