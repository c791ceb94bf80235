import { dirname, join } from 'node:path';
import { isPersistenceError, PersistenceError } from '../../../domain/errors.ts';
import type { SourceId } from '../../../domain/plan.ts';
import type { FileSystem } from '../../../ports/file-system.ts';
import type {
  ContinuedSource,
  PartitionBounds,
  QueuedDelivery,
  ReplayOptions,
  ReplaySource,
} from '../../../ports/queue.ts';
import { partitionMemory } from '../../partition-memory.ts';
import { type Continuation, continuedSource, sourceOf } from '../continuation.ts';
import type { ShardPlace } from '../job-delivery.ts';
import { replayShards } from '../replay-shards.ts';
import { type Page, ShardReader, type WaitingJobs } from '../shard-reader.ts';
import { type ArchiveNote, readNote } from './archive-note.ts';
import { type ArchivePlace, archiveFailure, identitiesIn, identityName, isMissing } from './archive-place.ts';
import { ArchivedShard } from './archived-shard.ts';

export interface ArchiveSourceOptions {
  /** The folder of one queue in a directory of archives. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
}

/** The archive of a queue by itself, for when Redis, or the queue in it, is gone: it changes nothing and asks nobody. */
class ArchiveSource implements ReplaySource {
  readonly source: SourceId;
  readonly continues: ContinuedSource | undefined;
  readonly openPrevious: (() => Promise<ReplaySource>) | undefined;
  readonly #place: ArchivePlace;
  readonly #shards: readonly ShardPlace[];
  readonly #closing = new AbortController();

  constructor(queue: string, { shards, continues }: ArchiveNote, { directory, fileSystem }: ArchiveSourceOptions) {
    this.source = sourceOf(queue);
    this.continues = continues && continuedSource(continues);
    const beside = { directory: dirname(directory), fileSystem };
    this.openPrevious = continues && (() => openPreviousArchive(continues, beside));
    this.#place = { fileSystem, directory, shards };
    const shardOf = partitionMemory(shards);
    this.#shards = Array.from({ length: shards }, (_, shard) => ({ shard, shards, shardOf }));
  }

  replay(options: ReplayOptions): AsyncIterable<readonly QueuedDelivery[]> {
    const bounds = this.#bounds();
    // Whoever never asks for the first batch is told nothing.
    bounds.catch(() => undefined);
    return replayShards({ bounds, openReader: (shard) => this.#reader(shard), closing: this.#closing.signal }, options);
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    return new Map((await this.#bounds()).entries());
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #bounds(): Promise<readonly PartitionBounds[]> {
    const none = { start: 0, end: 0 };
    const looking = this.#shards.map(async (place) => (await this.#history(place.shard).bounds(place)) ?? none);
    return await Promise.all(looking);
  }

  async #reader(shard: number): Promise<ShardReader> {
    const place = this.#shards[shard];
    if (place === undefined) throw new TypeError(`there is no shard ${shard}`);
    const history = this.#history(shard);
    const { end } = (await history.bounds(place)) ?? { end: 0 };
    return new ShardReader({ waiting: nothingFrom(end, history), place, history });
  }

  #history(shard: number): ArchivedShard {
    return new ArchivedShard(this.#place, shard);
  }
}

/** A shard of which nothing waits: what came before `end` is archived. */
function nothingFrom(end: number, { directory }: ArchivedShard): WaitingJobs {
  const page: Page = { held: { start: end, end }, edge: undefined, jobs: [], connection: undefined };
  return { name: directory, page: async () => page };
}

/** Opens an archive to replay from it. Throws `INVALID_CONFIGURATION` where there is none, and `QUEUE_CORRUPT`. */
export async function openArchive(options: ArchiveSourceOptions): Promise<ReplaySource> {
  const { directory, fileSystem } = options;
  try {
    const [identity] = identitiesIn(await fileSystem.list(directory).catch(noneWhereMissing));
    if (identity !== undefined) {
      const path = join(directory, identityName(identity));
      const note = await readNote(fileSystem, path);
      if (note === undefined) throw new PersistenceError('QUEUE_CORRUPT', `${path} does not tell of an archive`);
      return new ArchiveSource(identity.queue, note, options);
    }
  } catch (error) {
    throw archiveFailure({ directory }, 'opening', error);
  }
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `${directory} holds no archive: name the folder of one queue in the directory that bullmq.archive names`,
  );
}

/**
 * Opens the archive of a queue that another one goes on from, in the directory that holds the archives of both. Throws
 * `SOURCE_LOST_HISTORY` where it is not there.
 */
export async function openPreviousArchive(
  { id }: Continuation,
  { directory, fileSystem }: ArchiveSourceOptions,
): Promise<ReplaySource> {
  try {
    const previous = await openArchive({ directory: join(directory, id), fileSystem });
    if (previous.source === sourceOf(id)) return previous;
  } catch (error) {
    if (!isPersistenceError(error, 'INVALID_CONFIGURATION')) throw error;
  }
  throw new PersistenceError(
    'SOURCE_LOST_HISTORY',
    `the queue was ${id} before its shards were changed, and no archive of that lies in ${directory}: restore the ` +
      'folder of that name, or begin with a store that has consumed what it held',
  );
}

/** A directory that is not there holds no archive, and is not waited for. */
function noneWhereMissing(error: unknown): readonly string[] {
  if (isMissing(error)) return [];
  throw error;
}
