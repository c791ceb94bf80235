import type { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { FileSystem } from '../../../ports/file-system.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import type { RetentionLimits } from '../../../segments/retention.ts';
import type { ShardPlace } from '../job-delivery.ts';
import { archivePlace } from './archive-place.ts';
import type { ArchivedShard } from './archived-shard.ts';
import {
  type ArchivedQueue,
  CommandArchive,
  refuseLookingWithoutArchive,
  refuseWithoutArchive,
} from './command-archive.ts';
import { ShardArchiver } from './shard-archiver.ts';

/** Where what was consumed is kept, and for how long. */
export interface ArchiveOptions {
  /** The same files for all workers of the queue; made if it does not exist. Each queue has a folder of its own there. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
  /** What the store has stays until it is older or, in all shards together, more than this. */
  readonly retention: RetentionLimits;
  /** Length at which a segment file ends and the next begins. Default 64 MiB, an eighth of what a shard keeps at most. */
  readonly segmentBytes?: number | undefined;
}

export interface ArchivingParts extends ArchivedQueue {
  /** Undefined: what was consumed goes. */
  readonly archive?: ArchiveOptions | undefined;
  readonly clock: Clock;
  /** A fresh random UUID at every call. */
  readonly newId: () => string;
}

/** What a shard's feed needs to know. */
export interface ShardArchiving {
  readonly history: ArchivedShard | undefined;
  readonly archiver: ShardArchiver | undefined;
  readonly refuseWithoutArchive: () => Promise<void>;
}

/** What of a queue is archived, and gone from Redis. */
export interface ArchiveStanding {
  readonly directory: string;
  readonly commands: number;
  /** Of all segment files. */
  readonly bytes: number;
}

const mebibyte = 1024 * 1024;

/** What becomes of what a queue's workers consume: it is archived, or goes. */
export class Archiving {
  readonly #parts: ArchivingParts;
  readonly #archive: CommandArchive | undefined;
  /** The id of the archive, once it is settled. */
  #settled: string | undefined;

  constructor(parts: ArchivingParts) {
    this.#parts = parts;
    const { archive, newId } = parts;
    this.#archive = archive && new CommandArchive(archivePlace(archive, parts), parts, newId);
  }

  /**
   * Makes sure that what is consumed from now on goes where the queue's archive is, if it has one or is to have one.
   * Throws `INVALID_CONFIGURATION` where it would go elsewhere, or be missing.
   */
  async settle(): Promise<void> {
    if (this.#archive === undefined) await refuseWithoutArchive(this.#parts);
    else this.#settled = await this.#archive.settle();
  }

  /** For whoever consumes a shard as that member of the group, once it is settled. */
  of(place: ShardPlace, member: string, onFailed: (error: PersistenceError) => void): ShardArchiving {
    const { archive: options, shards } = this.#parts;
    const refuse = () => refuseWithoutArchive(this.#parts);
    if (this.#archive === undefined || options === undefined || this.#settled === undefined) {
      return { history: undefined, archiver: undefined, refuseWithoutArchive: refuse };
    }
    const { ageMs, bytes } = options.retention;
    const shardBytes = Math.floor(bytes / shards);
    const archiver = new ShardArchiver({
      ...this.#parts,
      archive: this.#archive.place,
      id: this.#settled,
      place,
      member,
      onFailed,
      retention: { ageMs, bytes: shardBytes },
      segmentBytes: options.segmentBytes ?? Math.min(64 * mebibyte, Math.max(mebibyte, Math.floor(shardBytes / 8))),
    });
    return { history: this.#archive.shard(place.shard), archiver, refuseWithoutArchive: refuse };
  }

  /** What is archived of a shard; undefined where nothing is archived. */
  async history(shard: number): Promise<ArchivedShard | undefined> {
    return (await this.#archive?.isBegun()) ? this.#archive?.shard(shard) : undefined;
  }

  /** What there is of the archive where so much waits in Redis; undefined where there is none, or none yet. */
  async standing(waiting: readonly PartitionBounds[]): Promise<ArchiveStanding | undefined> {
    const archive = this.#archive;
    if (archive === undefined) {
      await refuseLookingWithoutArchive(this.#parts);
      return undefined;
    }
    if (!(await archive.isBegun())) return undefined;
    const held = await this.boundsWith(waiting);
    const bytes = await Promise.all(waiting.map((_, shard) => archive.shard(shard).bytes()));
    return {
      directory: archive.place.directory,
      commands: waiting.reduce((sum, { start }, shard) => sum + start - (held[shard]?.start ?? start), 0),
      bytes: bytes.reduce((sum, one) => sum + one, 0),
    };
  }

  /** What is held where so much waits in Redis: what was archived before that as well. */
  async boundsWith(waiting: readonly PartitionBounds[]): Promise<readonly PartitionBounds[]> {
    const archive = this.#archive;
    if (archive === undefined || !(await archive.isBegun())) return waiting;
    const starts = await Promise.all(waiting.map((_, shard) => archive.shard(shard).start()));
    return waiting.map(({ start, end }, shard) => ({ start: starts[shard] ?? start, end }));
  }
}
