import { PersistenceError } from '../../../domain/errors.ts';

/** What to tell someone whose directory does not hold the archive of the queue. `archive`: its id, or nothing. */
export function otherArchive(directory: string, archive: string): PersistenceError {
  const what =
    archive === ''
      ? `the queue has given up its archive: ${directory} is to hold another one`
      : `the queue has the archive ${archive}, which does not lie in ${directory}: all its workers need the same directory, ` +
        'on storage that they share, also after its shards were changed. When that archive is gone, set ' +
        'bullmq.givenUpArchive to its id, to begin another one in an empty directory';
  return new PersistenceError('INVALID_CONFIGURATION', what);
}

/** What to tell someone who would consume a queue without its archive: what was consumed would be missing there. */
export function withoutArchive(archive: string): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `the queue has the archive ${archive}, and what this worker consumes would be missing there: set bullmq.archive to its ` +
      'directory, or bullmq.givenUpArchive to its id, to go on without it',
  );
}

/** What to tell someone who gives up an archive, and would go on in its directory. */
export function givenUpButHeld(directory: string, archive: string): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `${directory} holds the archive ${archive}, which is given up: move that away, and begin another one in an empty directory`,
  );
}
