import type { Digest } from '../../../domain/digest.ts';
import type { PersistenceError } from '../../../domain/errors.ts';
import type { StoredPosition } from '../../../domain/plan.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { lostHistory } from '../../lost-history.ts';
import { KafkaDelivery, type PartitionPlace, recordDigestAt } from '../delivery.ts';
import type { AbortedTransaction, FetchedPartition } from '../protocol/fetch.ts';
import { batchAt } from '../protocol/record-batch.ts';
import { RecordReader } from '../protocol/record-reader.ts';
import type { RepeatedHeaders } from '../protocol/repeated-headers.ts';
import { fetchSizes } from './fetch-sizes.ts';

/** What was fetched at once, not decoded yet. */
interface Chunk {
  readonly records: Buffer;
  readonly aborted: readonly AbortedTransaction[];
  /** First offset to deliver of it, and the one behind its last batch. */
  readonly from: number;
  readonly end: number;
}

/**
 * What a feed is in doubt about: where to start at all; whether the record before the next one is still the one that
 * was consumed; nothing.
 */
type Doubt = 'start' | 'record before' | 'none';

/** Where a feed starts: after a position whose record is verified, at an offset, or at the first that is held. */
export type FeedStart = StoredPosition | { readonly next: number } | undefined;

/** What is fetched of one partition: raw, in bounded memory, and decoded as it is taken. */
export class PartitionFeed {
  readonly #place: PartitionPlace;
  readonly #repeated: RepeatedHeaders;
  /** Offset behind everything that was fetched. */
  #next: number;
  /** Digest of the record before {@link #next}, unless that is still among the chunks. */
  #before: Digest | undefined;
  #doubt: Doubt;
  /** The brokers hold other offsets than expected, as far as one answer could tell. */
  #isOutOfBounds = false;
  #wantedBytes: number = fetchSizes.partition;
  #chunks: Chunk[] = [];
  #reader: RecordReader | undefined;
  #ahead: KafkaDelivery | undefined;
  #last: KafkaDelivery | undefined;
  #bufferedBytes = 0;
  /** The last thing that was decoded cannot be read. */
  #isDamaged = false;

  /** `repeated`: shared by all that is read of one topic. */
  constructor(place: PartitionPlace, start: FeedStart, repeated: RepeatedHeaders) {
    this.#place = place;
    this.#repeated = repeated;
    this.#next = start?.next ?? 0;
    this.#before = start !== undefined && 'digest' in start ? start.digest : undefined;
    this.#doubt = start === undefined ? 'start' : this.#before === undefined ? 'none' : 'record before';
  }

  get partition(): number {
    return this.#place.partition;
  }

  /** Bytes that were fetched and are not all taken. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** True when it is known to go on from where it was. */
  get isVerified(): boolean {
    return this.#doubt === 'none';
  }

  /** True when it has to be told which offsets the brokers hold before anything can be fetched. */
  get needsBounds(): boolean {
    return this.#doubt === 'start' || this.#isOutOfBounds;
  }

  /** What to fetch next. In doubt that is the record before the next one as well. */
  get wanted(): { readonly offset: number; readonly maxBytes: number } {
    const offset = this.#doubt === 'record before' ? this.#next - 1 : this.#next;
    return { offset, maxBytes: this.#wantedBytes };
  }

  /**
   * Takes the bounds as the brokers tell them. Returns `SOURCE_LOST_HISTORY` when they do not hold what comes next. A
   * record that is gone, though nothing behind it is, is not missed.
   */
  bounded(held: PartitionBounds): PersistenceError | undefined {
    this.#isOutOfBounds = false;
    if (this.#doubt === 'start') {
      this.#next = held.start;
      this.#doubt = 'none';
    }
    // What a damaged batch says of its last offset is not known to be wrong before the batch is decoded.
    if (this.#chunks.length > 0) return undefined;
    if (held.start > this.#next || held.end < this.#next) return lostHistory(this.partition, this.#next, held, false);
    if (held.start === this.#next) this.#doubt = 'none';
    return undefined;
  }

  /** The offset is none that the broker holds, as it says: {@link bounded} finds out. */
  outOfBounds(): void {
    this.#isOutOfBounds = true;
  }

  /**
   * Takes what was fetched from `offset` on. Returns `SOURCE_LOST_HISTORY` when the record before is another one than
   * was consumed; throws `QUEUE_CORRUPT` for bytes that are no record batches.
   */
  accept(
    offset: number,
    { records, abortedTransactions, lastStableOffset, logStartOffset }: FetchedPartition,
  ): PersistenceError | undefined {
    // Asked for before something changed.
    if (offset !== this.wanted.offset || this.needsBounds) return undefined;
    const end = endOf(records);
    if (end === undefined && records.length > 0) {
      // It is cut short, and its length stands at its start: larger than was asked for, or than the answer had room for.
      this.#wantedBytes = Math.max(this.#wantedBytes, lengthOf(records));
      return undefined;
    }
    this.#wantedBytes = fetchSizes.partition;
    if (this.#doubt === 'record before') {
      if (end === undefined) {
        this.#isOutOfBounds = lastStableOffset < this.#next;
        return undefined;
      }
      if (recordDigestAt(records, this.#next - 1) !== this.#before) {
        return lostHistory(this.partition, this.#next, { start: logStartOffset, end: lastStableOffset }, true);
      }
      this.#doubt = 'none';
    }
    if (end !== undefined && end > this.#next) {
      this.#chunks.push({ records, aborted: abortedTransactions, from: this.#next, end });
      this.#bufferedBytes += records.length;
      this.#next = end;
    }
    return undefined;
  }

  /** Fetching was interrupted: what comes next may be another history, so the record before it is read again first. */
  interrupt(): void {
    if (this.#doubt !== 'none') return;
    const chunk = this.#chunks.at(-1);
    if (chunk !== undefined) this.#before = recordDigestAt(chunk.records, this.#next - 1);
    if (this.#before !== undefined) this.#doubt = 'record before';
  }

  /** The next delivery, which stays the next until it is taken. Throws `QUEUE_CORRUPT`. */
  peek(): KafkaDelivery | undefined {
    this.#ahead ??= this.#decode();
    return this.#ahead;
  }

  /** Takes what {@link peek} has shown. */
  advance(): void {
    this.#last = this.#ahead;
    this.#ahead = undefined;
  }

  #decode(): KafkaDelivery | undefined {
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return undefined;
      this.#reader ??= new RecordReader(chunk.records, chunk.aborted, chunk.from, this.#repeated);
      const read = this.#reader.next();
      if (read !== undefined) {
        this.#isDamaged = read.kind === 'unreadable';
        return new KafkaDelivery(read, this.#place);
      }
      this.#finish(chunk, this.#reader.nextOffset);
    }
  }

  /** All of a chunk is decoded, up to `next`. */
  #finish(chunk: Chunk, next: number): void {
    this.#reader = undefined;
    this.#chunks.shift();
    this.#bufferedBytes -= chunk.records.length;
    // Behind a chunk with others after it, it is not the record before what is fetched next.
    const isBefore = this.#chunks.length === 0 || this.#isDamaged;
    // Now, and not when it is needed: the delivery keeps all bytes that were fetched with it.
    if (this.#last !== undefined && isBefore) this.#before = this.#last.recordDigest();
    this.#last = undefined;
    if (!this.#isDamaged) return;
    // Behind a damaged batch nothing of the same answer is read, and what it said of its last offset may be wrong.
    this.#isDamaged = false;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    this.#next = next;
  }
}

/** The offset behind the last whole batch, or undefined when there is none. */
function endOf(records: Buffer): number | undefined {
  let end: number | undefined;
  for (let at = 0; ; ) {
    const batch = batchAt(records, at);
    if (batch === undefined) return end;
    at += batch.raw.length;
    end = batch.lastOffset + 1;
  }
}

/** Bytes of the batch that begins here, or 0 when not even that can be told. */
function lengthOf(records: Buffer): number {
  return records.length < 12 ? 0 : 12 + records.readInt32BE(8);
}
