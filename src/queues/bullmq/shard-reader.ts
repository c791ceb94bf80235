import type { Digest } from '../../domain/digest.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import { asBuffer } from '../../domain/wire/bytes.ts';
import type { PartitionBounds } from '../../ports/queue.ts';
import { bytesOf, listOf, numberOf, textOf } from '../../redis/replies.ts';
import { lostHistory } from '../lost-history.ts';
import { deliveriesOf, type JobDelivery, type ReadJob, type ShardPlace } from './job-delivery.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { RepeatedAttributes } from './repeated-attributes.ts';
import { readScript } from './scripts/shard-scripts.ts';

export interface ReaderParts {
  readonly scripts: LayoutScripts;
  readonly place: ShardPlace;
}

/** What of a shard was read. */
interface Page {
  readonly held: PartitionBounds;
  /** Digest of the record before the first that is held; undefined where nothing ever was removed. */
  readonly edge: Digest | undefined;
  readonly jobs: readonly ReadJob[];
}

const nothing = new Uint8Array(0);
const pageJobs = 512;
const pageBytes = 2 * 1024 * 1024;

/** Reads the jobs of a shard in the order of their offsets, wherever it is told to start. Takes none away. */
export class ShardReader {
  readonly #parts: ReaderParts;
  readonly #attributes = new RepeatedAttributes();
  #next = 0;
  #isAtEnd = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** The offset to be read next. */
  get next(): number {
    return this.#next;
  }

  /** Whether all was read that waited when it was read last. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Starts at an offset, or at the first that is held. Throws `SOURCE_LOST_HISTORY` where it is not held. */
  async startAt(offset: number | undefined): Promise<void> {
    const { held } = await this.#page(offset ?? 0, 0);
    const from = offset ?? held.start;
    if (from < held.start || from > held.end) throw this.#lost(from, held, false);
    this.#next = from;
  }

  /**
   * Starts behind a stored position. Resolves with whether a job ends there. Throws `SOURCE_LOST_HISTORY` where the
   * offset is not held, or is held behind another record.
   */
  async startBehind({ next, digest }: StoredPosition): Promise<boolean> {
    const { held, edge, jobs } = await this.#page(Math.max(0, next - 1), 1);
    if (next < held.start || next > held.end) throw this.#lost(next, held, false);
    this.#next = next;
    if (next === held.start) {
      if ((edge ?? digest) !== digest) throw this.#lost(next, held, true);
      return false;
    }
    const [job] = jobs;
    if (job === undefined || job.first > next - 1) throw this.#missing(next - 1, job);
    const before = this.#deliveriesOf(job)[next - 1 - job.first];
    if (before?.recordDigest() !== digest) throw this.#lost(next, held, true);
    return job.first + job.count === next;
  }

  /** The deliveries that come next, whole jobs as far as they are not read yet; none when all is read. */
  async read(): Promise<readonly JobDelivery[]> {
    const { held, jobs } = await this.#page(this.#next, pageJobs);
    if (this.#next > held.end) throw this.#lost(this.#next, held, false);
    if (this.#next < held.end && jobs.length === 0) throw this.#missing(this.#next, undefined);
    const deliveries: JobDelivery[] = [];
    for (const job of jobs) {
      if (job.first > this.#next || job.first < 0) throw this.#missing(this.#next, job);
      deliveries.push(...this.#deliveriesOf(job).slice(this.#next - job.first));
      this.#next = job.first + job.count;
    }
    this.#isAtEnd = this.#next === held.end;
    return deliveries;
  }

  #deliveriesOf(job: ReadJob): readonly JobDelivery[] {
    return deliveriesOf(job, this.#parts.place, this.#attributes);
  }

  async #page(offset: number, mostJobs: number): Promise<Page> {
    const { scripts, place } = this.#parts;
    const args = [offset, mostJobs, pageBytes].map(String);
    const [start, digest, end, ...rest] = listOf(
      await scripts.run(readScript, [scripts.keys.shard(place.shard)], args),
    );
    const jobs: ReadJob[] = [];
    for (let at = 0; at < rest.length; at += 4) {
      const time = Number(textOf(rest[at + 2]));
      const data = asBuffer(bytesOf(rest[at + 3]) ?? nothing);
      jobs.push({ first: numberOf(rest[at]), count: numberOf(rest[at + 1]), time, data });
    }
    const edge = Buffer.from(bytesOf(digest) ?? []).toString('latin1');
    const held = { start: numberOf(start), end: numberOf(end) };
    return { held, edge: edge === '' ? undefined : (edge as Digest), jobs };
  }

  #lost(next: number, held: PartitionBounds, isHeld: boolean): PersistenceError {
    return lostHistory(this.#parts.place.shard, next, held, isHeld);
  }

  /** A job is not where it was put: somebody took it, moved it, or put one before others. */
  #missing(offset: number, found: ReadJob | undefined): PersistenceError {
    const { scripts, place } = this.#parts;
    const { keys } = scripts;
    const instead = found === undefined ? 'nothing waits there' : `the job found there begins at ${found.first}`;
    return new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `offset ${offset} of shard ${place.shard} is gone: ${instead}. Only macp-persist may take jobs from ` +
        `${keys.prefix}:${keys.queue(place.shard)}, and nobody may put jobs before others; give a job that another ` +
        'worker took back to it, or build a new store',
    );
  }
}
