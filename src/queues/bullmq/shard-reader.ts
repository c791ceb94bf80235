import type { Digest } from '../../domain/digest.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { PartitionBounds } from '../../ports/queue.ts';
import { lostHistory } from '../lost-history.ts';
import { deliveriesOf, type JobDelivery, type ReadJob, type ShardPlace } from './job-delivery.ts';
import { RepeatedAttributes } from './repeated-attributes.ts';

export interface ReaderParts {
  readonly waiting: WaitingJobs;
  readonly place: ShardPlace;
  /** Where jobs lie that are gone from Redis. */
  readonly history?: ShardHistory | undefined;
  /** Takes jobs in before any of their deliveries are handed over. */
  readonly archiver?: JobArchiver | undefined;
}

/** What holds the jobs of a shard that wait. */
export interface WaitingJobs {
  /** Names it for people. */
  readonly name: string;
  /** What is held, and the jobs from that on which holds the offset. */
  page(offset: number, most: PageLimits): Promise<Page>;
}

/** What holds the jobs of a shard that are gone from Redis. */
export interface ShardHistory extends AsyncDisposable {
  /**
   * The jobs from that on which holds the offset, as far as they stand before `end`; undefined where it holds nothing.
   * Throws `SOURCE_LOST_HISTORY` where any are missing.
   */
  page(offset: number, end: number, most: PageLimits): Promise<HistoryPage | undefined>;
}

export interface HistoryPage {
  /** The first offset held, and the digest of the record before it; undefined where there never was one. */
  readonly start: number;
  readonly edge: Digest | undefined;
  readonly jobs: readonly ReadJob[];
}

export interface JobArchiver {
  /** Resolves once they are archived durably: what of them is archived already is not archived again. */
  append(jobs: readonly ReadJob[]): Promise<void>;
}

export interface PageLimits {
  readonly jobs: number;
  readonly bytes: number;
}

/** What of a shard was read. */
export interface Page {
  readonly held: PartitionBounds;
  /** Digest of the record before the first that is held; undefined where nothing ever was removed. */
  readonly edge: Digest | undefined;
  readonly jobs: readonly ReadJob[];
  /** What it came over; undefined where there is nothing between. */
  readonly connection: object | undefined;
}

const pageJobs = 512;
const pageBytes = 2 * 1024 * 1024;

/** Reads the jobs of a shard in the order of their offsets, wherever it is told to start. Takes none away. */
export class ShardReader implements AsyncDisposable {
  readonly #parts: ReaderParts;
  readonly #attributes = new RepeatedAttributes();
  #next = 0;
  /** Behind what was read last; undefined while nothing was. */
  #last: StoredPosition | undefined;
  /** Whoever answers over it is known to hold what was read last. */
  #connection: object | undefined;
  #isAtEnd = false;
  #isOvertaken = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Closes what holds its history. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.history?.[Symbol.asyncDispose]();
  }

  /** The offset to be read next. */
  get next(): number {
    return this.#next;
  }

  /** Whether all was read that waited when it was read last. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** What was to be read next was removed meanwhile: another worker has gone on, and the store has it. */
  get isOvertaken(): boolean {
    return this.#isOvertaken;
  }

  /** Starts at an offset, or at the first that is held. Throws `SOURCE_LOST_HISTORY` where it is not held. */
  async startAt(offset: number | undefined): Promise<void> {
    const { held, connection } = await this.#page(offset ?? 0, 0);
    const from = offset ?? held.start;
    if (from < held.start || from > held.end) throw this.#lost(from, held, false);
    this.#next = from;
    this.#connection = connection;
  }

  /**
   * Starts behind a stored position. Resolves with the id of the job that waits and ends there. Throws
   * `SOURCE_LOST_HISTORY` where the offset is not held, or is held behind another record.
   */
  async startBehind(position: StoredPosition): Promise<string | undefined> {
    const { next, digest } = position;
    const { held, edge, jobs, connection } = await this.#page(Math.max(0, next - 1), 1);
    this.#isOvertaken = next < held.start;
    if (this.#isOvertaken || next > held.end) throw this.#lost(next, held, false);
    this.#next = next;
    this.#last = position;
    this.#connection = connection;
    if (next === held.start) {
      if ((edge ?? digest) !== digest) throw this.#lost(next, held, true);
      return undefined;
    }
    const [job] = jobs;
    if (job === undefined || job.first > next - 1) throw this.#missing(next - 1, job);
    const before = this.#deliveriesOf(job)[next - 1 - job.first];
    if (before?.recordDigest() !== digest) throw this.#lost(next, held, true);
    return before.endedJob;
  }

  /** The deliveries that come next, whole jobs as far as they are not read yet; none when all is read. */
  async read(): Promise<readonly JobDelivery[]> {
    const from = this.#next;
    const jobs = await this.readJobs();
    const deliveries = jobs.flatMap((job) => this.#deliveriesOf(job).slice(Math.max(0, from - job.first)));
    const last = deliveries.at(-1);
    if (last !== undefined) this.#last = { next: this.#next, digest: last.recordDigest() };
    return deliveries;
  }

  /** The jobs that come next, archived where they are to be; none when all is read. */
  async readJobs(): Promise<readonly ReadJob[]> {
    const { held, jobs } = await this.#following();
    this.#isOvertaken = this.#next < held.start;
    if (this.#isOvertaken || this.#next > held.end) throw this.#lost(this.#next, held, false);
    if (this.#next < held.end && jobs.length === 0) throw this.#missing(this.#next, undefined);
    let next = this.#next;
    for (const [index, job] of jobs.entries()) {
      const isNext = index === 0 ? job.first >= 0 && job.first <= next : job.first === next;
      if (!isNext) throw this.#missing(next, job);
      next = job.first + job.count;
    }
    await this.#parts.archiver?.append(jobs);
    this.#next = next;
    this.#isAtEnd = next === held.end;
    return jobs;
  }

  /**
   * The page that comes next. Whoever answers over another connection than before may have come back with less, and have
   * been given other records since: what was read last has to be there first.
   */
  async #following(): Promise<Page> {
    for (;;) {
      const page = await this.#page(this.#next, pageJobs);
      if (page.connection === this.#connection || this.#last === undefined) return page;
      await this.startBehind(this.#last);
    }
  }

  #deliveriesOf(job: ReadJob): readonly JobDelivery[] {
    return deliveriesOf(job, this.#parts.place, this.#attributes);
  }

  async #page(offset: number, mostJobs: number): Promise<Page> {
    const most = { jobs: mostJobs, bytes: pageBytes };
    const page = await this.#parts.waiting.page(offset, most);
    const { start, end } = page.held;
    if (offset >= start) return page;
    const archived = await this.#parts.history?.page(offset, start, most);
    return archived === undefined ? page : { ...page, ...archived, held: { start: archived.start, end } };
  }

  #lost(next: number, held: PartitionBounds, isHeld: boolean): PersistenceError {
    return lostHistory(this.#parts.place.shard, next, held, isHeld);
  }

  /** A job is not where it was put: somebody took it, moved it, or put one before others. */
  #missing(offset: number, found: ReadJob | undefined): PersistenceError {
    const { waiting, place } = this.#parts;
    const instead = found === undefined ? 'nothing waits there' : `the job found there begins at ${found.first}`;
    return new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `offset ${offset} of shard ${place.shard} is gone: ${instead}. Only macp-persist may take jobs from ` +
        `${waiting.name}, and nobody may put jobs before others; give a job that another ` +
        'worker took back to it, or build a new store',
    );
  }
}
