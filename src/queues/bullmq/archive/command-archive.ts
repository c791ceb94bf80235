import { join } from 'node:path';
import { PersistenceError } from '../../../domain/errors.ts';
import { textOf } from '../../../redis/replies.ts';
import type { LayoutScripts } from '../layout-scripts.ts';
import { settleArchiveScript } from '../scripts/archive-scripts.ts';
import {
  type ArchiveIdentity,
  type ArchivePlace,
  archiveFailure,
  identitiesIn,
  identityName,
  isMissing,
} from './archive-place.ts';
import { ArchivedShard } from './archived-shard.ts';
import { givenUpButHeld, otherArchive, withoutArchive } from './other-archive.ts';

/** A queue whose archive it is about. */
export interface ArchivedQueue {
  readonly scripts: LayoutScripts;
  /** Names the queue: a UUID. */
  readonly queue: string;
  readonly shards: number;
  /** The id of an archive that the queue is to go on without; undefined: none. */
  readonly givenUp: string | undefined;
}

/** Throws `INVALID_CONFIGURATION` where the queue has an archive, and it is not given up. */
export async function refuseWithoutArchive(queue: ArchivedQueue): Promise<void> {
  const archive = await settle(queue, '');
  if (archive !== '') throw withoutArchive(archive);
}

/** The id of the queue's archive, or nothing, also where it is to be given up. Changes nothing. */
export async function archiveOf(queue: ArchivedQueue): Promise<string> {
  const archive = await settle({ ...queue, givenUp: undefined }, '');
  return archive === queue.givenUp ? '' : archive;
}

/**
 * The jobs of a queue that were consumed, in a directory that all of its workers share. Which archive that is, is noted
 * there and in Redis: where the two do not say the same, nothing is read or written.
 */
export class CommandArchive {
  readonly place: ArchivePlace;
  readonly #queue: ArchivedQueue;
  readonly #newId: () => string;

  constructor(place: ArchivePlace, queue: ArchivedQueue, newId: () => string) {
    this.place = place;
    this.#queue = queue;
    this.#newId = newId;
  }

  /** The id of the queue's archive, which is begun where there is none. Throws `INVALID_CONFIGURATION` for another one. */
  async settle(): Promise<string> {
    const { fileSystem, directory } = this.place;
    try {
      await fileSystem.makeDirectory(directory);
      const [held] = await this.#held();
      if (held !== undefined && held === this.#queue.givenUp) throw givenUpButHeld(directory, held);
      const made = held ?? (await this.#begin());
      const archive = await settle(this.#queue, made);
      const isHere = archive === made || (await this.#held()).includes(archive);
      // Somebody else has begun one at the same time, here or elsewhere.
      if (archive !== made && held === undefined) await this.#remove(made);
      if (!isHere) throw otherArchive(directory, archive);
      return archive;
    } catch (error) {
      throw archiveFailure(this.place, 'opening', error);
    }
  }

  /** Whether the queue has an archive. Throws `INVALID_CONFIGURATION` where that does not lie in the directory. */
  async isBegun(): Promise<boolean> {
    const held = await this.#held();
    const archive = await archiveOf(this.#queue);
    if (archive === '' || held.includes(archive)) return archive !== '';
    throw otherArchive(this.place.directory, archive);
  }

  /** What is archived of a shard, maybe nothing yet. */
  shard(shard: number): ArchivedShard {
    return new ArchivedShard(this.place, shard);
  }

  /** The ids of the archives of this queue that the directory tells of. Throws for one of another queue. */
  async #held(): Promise<readonly string[]> {
    const { fileSystem, directory } = this.place;
    const names = await fileSystem.list(directory).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw archiveFailure(this.place, 'reading', error);
    });
    const found = identitiesIn(names);
    const other = found.find(({ queue }) => queue !== this.#queue.queue);
    if (other === undefined) return found.map(({ archive }) => archive);
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${directory} holds the archive of the queue ${other.queue}, and this is ${this.#queue.queue}: give each queue a ` +
        'belongs, in the folder that is called like its queue',
    );
  }

  async #begin(): Promise<string> {
    const { fileSystem, directory } = this.place;
    const archive = this.#newId();
    await using file = await fileSystem.open(this.#path(archive), 'new');
    await file.datasync();
    await fileSystem.syncDirectory(directory);
    return archive;
  }

  async #remove(archive: string): Promise<void> {
    await this.place.fileSystem.remove(this.#path(archive));
  }

  #path(archive: string): string {
    const identity: ArchiveIdentity = { queue: this.#queue.queue, archive };
    return join(this.place.directory, identityName(identity));
  }
}

/** The id of the queue's archive afterwards, or nothing: `proposed` where it had none. */
async function settle({ scripts, shards, givenUp }: ArchivedQueue, proposed: string): Promise<string> {
  const shardKeys = Array.from({ length: shards }, (_, shard) => scripts.keys.shard(shard));
  const args = [proposed, givenUp ?? ''];
  return textOf(await scripts.run(settleArchiveScript, shardKeys, args)) ?? '';
}
