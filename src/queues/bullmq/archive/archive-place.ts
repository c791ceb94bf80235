import { join } from 'node:path';
import { isPersistenceError, PersistenceError } from '../../../domain/errors.ts';
import type { FileSystem } from '../../../ports/file-system.ts';
import { isDiskFull } from '../../../segments/disk-full.ts';

/**
 * Where the archive of a queue lies, in the folder QUEUE of the directory that is named for archives:
 *
 *     QUEUE.ARCHIVE.archive                which archive, of which queue, lies here; in it, an {@link ArchiveNote}
 *     shard-N/NNNNNNNNNN.segment           the jobs of a shard, appended to by one worker at a time
 */
export interface ArchivePlace {
  readonly fileSystem: FileSystem;
  /** The same files for all workers of the queue. */
  readonly directory: string;
  readonly shards: number;
}

/** Which archive it is, and of which queue: two UUIDs. */
export interface ArchiveIdentity {
  readonly queue: string;
  readonly archive: string;
}

/** In a directory that may hold the archives of several queues. */
export function archivePlace(
  { fileSystem, directory }: Pick<ArchivePlace, 'fileSystem' | 'directory'>,
  { queue, shards }: { readonly queue: string; readonly shards: number },
): ArchivePlace {
  return { fileSystem, directory: join(directory, queue), shards };
}

const ending = '.archive';

export function identityName({ queue, archive }: ArchiveIdentity): string {
  return `${queue}.${archive}${ending}`;
}

/** The archives that the names in a directory tell of. */
export function identitiesIn(names: readonly string[]): readonly ArchiveIdentity[] {
  return names.toSorted().flatMap((name) => {
    const [queue, archive, rest] = name.split('.');
    return queue && archive && `.${rest}` === ending ? [{ queue, archive }] : [];
  });
}

export function shardDirectory({ directory }: ArchivePlace, shard: number): string {
  return join(directory, `shard-${shard}`);
}

/** True where a file or a directory was not there. */
export function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}

/** What a failure of the file system means to whoever archives or reads an archive. */
export function archiveFailure(
  { directory }: Pick<ArchivePlace, 'directory'>,
  what: string,
  error: unknown,
): PersistenceError {
  if (isPersistenceError(error)) return error;
  return new PersistenceError(codeOf(error), `${what} the archive in ${directory} failed`, { cause: error });
}

function codeOf(error: unknown): 'DISK_FULL' | 'QUEUE_UNAVAILABLE' | 'QUEUE_IO_FAILED' {
  if (isDiskFull(error)) return 'DISK_FULL';
  // Another worker has begun a segment at the same time, or removed one: what is so now is seen the next time.
  return isMissing(error) || systemCode(error) === 'EEXIST' ? 'QUEUE_UNAVAILABLE' : 'QUEUE_IO_FAILED';
}

function systemCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
