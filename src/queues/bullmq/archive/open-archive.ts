import { join } from 'node:path';
import { PersistenceError } from '../../../domain/errors.ts';
import type { SourceId } from '../../../domain/plan.ts';
import type { FileSystem } from '../../../ports/file-system.ts';
import type { PartitionBounds, QueuedDelivery, ReplayOptions, ReplaySource } from '../../../ports/queue.ts';
import { readSegments } from '../../../segments/recovery.ts';
import { partitionMemory } from '../../partition-memory.ts';
import { sourceOf } from '../guard.ts';
import type { ShardPlace } from '../job-delivery.ts';
import { replayShards } from '../replay-shards.ts';
import { type Page, ShardReader, type WaitingJobs } from '../shard-reader.ts';
import { type ArchivePlace, archiveFailure, identitiesIn, isMissing } from './archive-place.ts';
import { ArchivedShard } from './archived-shard.ts';

export interface ArchiveSourceOptions {
  /** The folder of one queue in a directory of archives. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
}

const mostShards = 1024;

/** The archive of a queue by itself, for when Redis, or the queue in it, is gone: it changes nothing and asks nobody. */
class ArchiveSource implements ReplaySource {
  readonly source: SourceId;
  readonly #place: ArchivePlace;
  readonly #shards: readonly ShardPlace[];
  readonly #closing = new AbortController();

  constructor(source: SourceId, place: ArchivePlace) {
    this.source = source;
    this.#place = place;
    const { shards } = place;
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
  const page: Page = { held: { start: end, end }, edge: undefined, jobs: [] };
  return { name: directory, page: async () => page };
}

/** Opens an archive to replay from it. Throws `INVALID_CONFIGURATION` where there is none. */
export async function openArchive({ directory, fileSystem }: ArchiveSourceOptions): Promise<ReplaySource> {
  try {
    const names = await fileSystem.list(directory).catch(noneWhereMissing);
    const [identity] = identitiesIn(names);
    const shards = identity && (await shardsIn(names, { directory, fileSystem }));
    if (identity !== undefined && shards !== undefined) {
      return new ArchiveSource(sourceOf(identity.queue), { fileSystem, directory, shards });
    }
  } catch (error) {
    throw archiveFailure({ directory }, 'opening', error);
  }
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `${directory} holds no archive: name the folder of one queue in the directory that bullmq.archive names`,
  );
}

/** A directory that is not there holds no archive, and is not waited for. */
function noneWhereMissing(error: unknown): readonly string[] {
  if (isMissing(error)) return [];
  throw error;
}

/** How many shards the queue has: each segment tells. */
async function shardsIn(
  names: readonly string[],
  { directory, fileSystem }: ArchiveSourceOptions,
): Promise<number | undefined> {
  for (const name of names.filter((each) => each.startsWith('shard-'))) {
    const segments = await readSegments({
      fileSystem,
      directory: join(directory, name),
      partitions: mostShards,
      isShared: true,
      onlyLooks: true,
    });
    if (!segments.isEmpty) return segments.first.header.next.length;
  }
  return undefined;
}
