import { isPersistenceError, PersistenceError } from '../domain/errors.ts';

/**
 * What a failure of a store that stands on LevelDB means, as one of this project's errors; `where` names the store, such
 * as "the level store in DIRECTORY". It holds for failures of the file system, too. LevelDB reports operating-system errors as
 * the text of `strerror` only, and abstract-level wraps what failed while opening as a `cause`.
 */
export function classifyFailure(error: unknown, where: string, doing: string): PersistenceError {
  if (isPersistenceError(error)) return error;
  const texts = [...textsOf(error)];
  const reason = texts.at(-1) ?? String(error);
  const says = (pattern: RegExp) => texts.some((text) => pattern.test(text));
  if (says(/LEVEL_LOCKED/)) {
    return new PersistenceError('STORE_LOCKED', `${where} is owned by another process, or is open already`, {
      cause: error,
    });
  }
  if (says(/No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/)) {
    return new PersistenceError('DISK_FULL', `the disk of ${where} is full (${doing}): ${reason}`, { cause: error });
  }
  if (says(/LEVEL_CORRUPTION|Corruption:/)) {
    return new PersistenceError('STORE_CORRUPT', `${where} is damaged (${doing}): ${reason}`, { cause: error });
  }
  if (
    !says(/LEVEL_IO_ERROR/) &&
    says(/LEVEL_DATABASE_NOT_OPEN|LEVEL_ITERATOR_NOT_OPEN|LEVEL_SNAPSHOT_NOT_OPEN|LEVEL_BATCH_NOT_OPEN/)
  ) {
    return new PersistenceError('STORE_UNAVAILABLE', `${where} is being opened anew (${doing})`, { cause: error });
  }
  return new PersistenceError('STORE_IO_FAILED', `${where} failed (${doing}): ${reason}`, {
    cause: error,
  });
}

/** Code and message of an error and of everything that caused it, outermost first. */
function* textsOf(error: unknown): Generator<string> {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    yield code === undefined ? at.message : `${code} ${at.message}`;
  }
}
