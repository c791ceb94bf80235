import { isPersistenceError, PersistenceError } from '../../../domain/errors.ts';
import { listOf, numberOf, textOf } from '../../../redis/replies.ts';
import type { ReadJob } from '../job-delivery.ts';
import type { LayoutScripts } from '../layout-scripts.ts';
import { digestOf, RedisShard } from '../redis-shard.ts';
import { claimArchiveScript, confirmArchivedScript } from '../scripts/archive-scripts.ts';
import { type JobArchiver, ShardReader } from '../shard-reader.ts';
import { archiveFailure } from './archive-place.ts';
import { otherArchive } from './other-archive.ts';
import { type JournalBeginning, ShardJournal, type ShardJournalParts } from './shard-journal.ts';

export interface ShardArchiverParts extends ShardJournalParts {
  readonly scripts: LayoutScripts;
  /** The member of the group that owns the shard. */
  readonly member: string;
  readonly onFailed: (error: PersistenceError) => void;
}

/** What Redis says to whoever is to archive a shard. */
interface Claim {
  /** Counts those who ever archived the shard: what an earlier one has written since counts for nothing. */
  readonly archiver: number;
  readonly held: JournalBeginning;
  /** Whether anything was ever archived. */
  readonly isBegun: boolean;
}

/**
 * Archives a shard for as long as this member of the group owns it. What is appended counts once Redis has confirmed that
 * nobody else archives the shard by now: only then is it delivered, and removed from Redis later.
 */
export class ShardArchiver implements JobArchiver {
  readonly #parts: ShardArchiverParts;
  #archiver = 0;
  #journal: ShardJournal | undefined;
  #confirmed = 0;
  #stored = 0;
  #retaining: Promise<void> = Promise.resolve();

  constructor(parts: ShardArchiverParts) {
    this.#parts = parts;
  }

  /**
   * Makes this the one that archives the shard, and archives what the store has consumed already, up to `stored`. Throws
   * `SOURCE_LOST_HISTORY` where the archive and Redis do not fit together any more, or lack something between them.
   */
  async begin(stored: number): Promise<void> {
    await this.close();
    const claim = await this.#claim();
    this.#archiver = claim.archiver;
    try {
      this.#journal = await ShardJournal.open(this.#parts, () => this.#beginning(claim));
    } catch (error) {
      throw archiveFailure(this.#parts.archive, 'opening', error);
    }
    const { scripts, place } = this.#parts;
    const reader = new ShardReader({ waiting: new RedisShard(scripts, place.shard), place });
    await this.#verify(reader, this.#journal);
    await this.#confirm(this.#journal);
    while (reader.next < stored) {
      const jobs = await reader.readJobs();
      if (jobs.length === 0) break;
      await this.append(jobs);
    }
    this.stored(stored);
  }

  async append(jobs: readonly ReadJob[]): Promise<void> {
    if (this.#journal === undefined) await this.begin(this.#stored);
    const journal = this.#journal;
    if (journal === undefined) throw this.#displaced();
    if (this.#confirmed < journal.end) await this.#confirm(journal);
    const fresh = jobs.filter(({ first }) => first >= journal.end);
    if (fresh.length === 0) return;
    if (fresh[0]?.first !== journal.end) throw this.#unfit(`nothing waits at offset ${journal.end}`);
    try {
      await journal.append(fresh);
    } catch (error) {
      await this.close();
      throw error;
    }
    await this.#confirm(journal);
  }

  /** The store has what stands before the offset. Old segments go, behind the caller's back. */
  stored(next: number): void {
    this.#stored = Math.max(this.#stored, next);
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#retaining = this.#retaining
      .then(() => journal.retain(this.#stored))
      .catch((error) => this.#parts.onFailed(error));
  }

  /** Settles what is under way. What was appended stays. Idempotent. */
  async close(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await this.#retaining;
    await journal?.close();
  }

  async #claim(): Promise<Claim> {
    const { scripts, place, member, id } = this.#parts;
    const { group, shard } = scripts.keys;
    const args = [String(place.shard), member, id];
    const reply = await scripts.run(claimArchiveScript, [group, shard(place.shard)], args);
    if (reply === null) throw this.#displaced();
    if (!Array.isArray(reply)) throw otherArchive(this.#parts.archive.directory, textOf(reply) ?? '');
    const [archiver, next, digest, archived] = listOf(reply);
    const held = { next: numberOf(next), digest: digestOf(digest) };
    return { archiver: numberOf(archiver), held, isBegun: numberOf(archived) >= 0 };
  }

  #beginning({ held, isBegun }: Claim): JournalBeginning {
    if (isBegun) throw this.#unfit('it holds nothing of the shard, though something was archived');
    return held;
  }

  /** Throws `SOURCE_LOST_HISTORY` unless Redis goes on where the archive ends. */
  async #verify(reader: ShardReader, journal: ShardJournal): Promise<void> {
    try {
      await reader.startBehind({ next: journal.end, digest: await journal.lastDigest() });
    } catch (error) {
      if (!isPersistenceError(error, 'SOURCE_LOST_HISTORY')) throw error;
      throw this.#unfit(error.message, error);
    }
  }

  async #confirm(journal: ShardJournal): Promise<void> {
    const { scripts, place } = this.#parts;
    const args = [this.#archiver, journal.end].map(String);
    const reply = await scripts.run(confirmArchivedScript, [scripts.keys.shard(place.shard)], args);
    if (numberOf(reply) !== 1) throw this.#displaced();
    this.#confirmed = journal.end;
  }

  /** Not for long: whoever owns a shard no more is told so by the group. */
  #displaced(): PersistenceError {
    const message = `shard ${this.#parts.place.shard} is archived by another worker`;
    return new PersistenceError('QUEUE_UNAVAILABLE', message);
  }

  #unfit(what: string, cause?: unknown): PersistenceError {
    const { archive, place } = this.#parts;
    return new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `the archive in ${archive.directory} does not go on into shard ${place.shard} of this Redis: ${what}. Restore what ` +
        'is missing, or give the archive up (bullmq.givenUpArchive) and begin another one',
      { cause },
    );
  }
}
