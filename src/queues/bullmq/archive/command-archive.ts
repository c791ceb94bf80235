import { dirname, join } from 'node:path';
import { PersistenceError } from '../../../domain/errors.ts';
import { listOf, textOf } from '../../../redis/replies.ts';
import type { Continuation } from '../continuation.ts';
import type { LayoutScripts } from '../layout-scripts.ts';
import { settleArchiveScript } from '../scripts/archive-scripts.ts';
import { readNote, writeNote } from './archive-note.ts';
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
  /** What the queue goes on from since its shards were changed. */
  readonly continues: Continuation | undefined;
  /** The id of an archive that the queue is to go on without; undefined: none. */
  readonly givenUp: string | undefined;
}

/** What Redis says of a queue's archive. */
interface NotedArchive {
  /** Its id, or nothing. */
  readonly archive: string;
  /** That which the queue had before its shards were changed, while it has begun none since. */
  readonly before: ArchiveIdentity | undefined;
}

/** Throws `INVALID_CONFIGURATION` where the queue has an archive, or is to go on with one, and it is not given up. */
export async function refuseWithoutArchive(queue: ArchivedQueue): Promise<void> {
  refuseMissed(await settle(queue, ''));
}

/** As {@link refuseWithoutArchive}, and changes nothing: what is to be given up is still had afterwards. */
export async function refuseLookingWithoutArchive(queue: ArchivedQueue): Promise<void> {
  refuseMissed(await notedArchive(queue));
}

function refuseMissed({ archive, before }: NotedArchive): void {
  const missed = archive === '' ? before?.archive : archive;
  if (missed !== undefined) throw withoutArchive(missed);
}

/** What Redis says, without what is to be given up. Changes nothing. */
async function notedArchive(queue: ArchivedQueue): Promise<NotedArchive> {
  const { archive, before } = await settle({ ...queue, givenUp: undefined }, '');
  return {
    archive: archive === queue.givenUp ? '' : archive,
    before: before?.archive === queue.givenUp ? undefined : before,
  };
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
      if (held === undefined) await this.#refuseApart(await notedArchive(this.#queue));
      const made = held ?? this.#newId();
      await this.#note(made);
      const { archive } = await settle(this.#queue, made);
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
    const noted = await notedArchive(this.#queue);
    const { archive } = noted;
    if (archive === '') await this.#refuseApart(noted);
    if (archive === '' || held.includes(archive)) return archive !== '';
    throw otherArchive(this.place.directory, archive);
  }

  /** What is archived of a shard, maybe nothing yet. */
  shard(shard: number): ArchivedShard {
    return new ArchivedShard(this.place, shard);
  }

  /** The ids of the archives of this queue that the directory tells of. Throws for one of another queue. */
  async #held(): Promise<readonly string[]> {
    const { directory } = this.place;
    const found = identitiesIn(await this.#list(directory));
    const other = found.find(({ queue }) => queue !== this.#queue.queue);
    if (other === undefined) return found.map(({ archive }) => archive);
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${directory} holds the archive of the queue ${other.queue}, and this is ${this.#queue.queue}: put it ` +
        'where it belongs, in the folder that is called like its queue',
    );
  }

  /** Refuses to begin an archive elsewhere than beside that which the queue had before its shards were changed. */
  async #refuseApart({ archive, before }: NotedArchive): Promise<void> {
    if (archive !== '' || before === undefined) return;
    const directory = dirname(this.place.directory);
    const names = await this.#list(join(directory, before.queue));
    if (!names.includes(identityName(before))) throw otherArchive(directory, before.archive);
  }

  /** Makes the file that names an archive say what it is to say, before anything is archived. */
  async #note(archive: string): Promise<void> {
    const { fileSystem, directory } = this.place;
    const path = this.#path(archive);
    if ((await readNote(fileSystem, path)) !== undefined) return;
    await writeNote(fileSystem, path, this.#queue);
    await fileSystem.syncDirectory(directory);
  }

  /** The names in a directory; none where it is not there. */
  async #list(directory: string): Promise<readonly string[]> {
    try {
      return await this.place.fileSystem.list(directory);
    } catch (error) {
      if (isMissing(error)) return [];
      throw archiveFailure(this.place, 'reading', error);
    }
  }

  async #remove(archive: string): Promise<void> {
    await this.place.fileSystem.remove(this.#path(archive));
  }

  #path(archive: string): string {
    const identity: ArchiveIdentity = { queue: this.#queue.queue, archive };
    return join(this.place.directory, identityName(identity));
  }
}

/** What Redis says of the queue's archive afterwards: `proposed` where it had none. */
async function settle({ scripts, shards, givenUp }: ArchivedQueue, proposed: string): Promise<NotedArchive> {
  const shardKeys = Array.from({ length: shards }, (_, shard) => scripts.keys.shard(shard));
  const args = [proposed, givenUp ?? ''];
  const [archive, before] = listOf(await scripts.run(settleArchiveScript, shardKeys, args)).map(textOf);
  return { archive: archive ?? '', before: before ? JSON.parse(before) : undefined };
}
