import { isPersistenceError } from '../../../domain/errors.ts';
import { AbortedTransactions, controlOf } from './aborted-transactions.ts';
import { BatchRecords, passedFrom } from './batch-records.ts';
import type { AbortedTransaction } from './fetch.ts';
import type { ReadRecords, UnreadableRecords } from './read-records.ts';
import { batchAt, type RecordBatch } from './record-batch.ts';
import { RepeatedHeaders } from './repeated-headers.ts';

/**
 * Reads what was fetched of one partition, in offset order and one at a time, so that only one batch stands expanded.
 * Records below `fromOffset` are left out: a fetch answers with whole batches.
 */
export class RecordReader {
  readonly #bytes: Buffer;
  readonly #aborted: AbortedTransactions;
  readonly #from: number;
  readonly #repeated: RepeatedHeaders;
  #at = 0;
  /** Last offset of the batch before. */
  #after = -1;
  #batch: BatchRecords | undefined;
  #nextOffset: number;

  /** `repeated`: kept from fetch to fetch, so that what repeats is read once. */
  constructor(
    records: Buffer,
    abortedTransactions: readonly AbortedTransaction[],
    fromOffset: number,
    repeated: RepeatedHeaders = new RepeatedHeaders(),
  ) {
    this.#bytes = records;
    this.#aborted = new AbortedTransactions(abortedTransactions);
    this.#from = fromOffset;
    this.#repeated = repeated;
    this.#nextOffset = fromOffset;
  }

  /** Behind everything that was handed out: where to fetch next once {@link next} has nothing. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Throws `QUEUE_CORRUPT` when not even the bounds of a batch can be told. */
  next(): ReadRecords | undefined {
    for (;;) {
      const read = this.#batch?.next();
      if (read !== undefined) return this.#handOut(read);
      this.#batch = undefined;
      const batch = batchAt(this.#bytes, this.#at, this.#after);
      if (batch === undefined) return undefined;
      this.#at += batch.raw.length;
      const whole = this.#open(batch);
      if (whole !== undefined) return this.#handOut(whole);
    }
  }

  /** Begins with a batch, unless it is handed out whole. */
  #open(batch: RecordBatch): ReadRecords | undefined {
    const damage = batch.damage();
    if (damage !== undefined) return this.#damaged(batch, damage);
    const control = batch.isControl ? controlOf(batch) : 'none';
    if (control === undefined) return this.#damaged(batch, 'its control record cannot be read');
    const isExcluded = this.#aborted.excludes(batch, control);
    this.#after = batch.lastOffset;
    if (this.#after < this.#from) return undefined;
    if (isExcluded) return passedFrom(batch, Math.max(batch.baseOffset, this.#from));
    this.#batch = new BatchRecords(batch, this.#repeated, this.#from);
    return undefined;
  }

  /**
   * Nothing is read behind a damaged batch: it may have been the end of a transaction, and only the next fetch tells
   * again which of the following are given up.
   */
  #damaged(batch: RecordBatch, reason: string): UnreadableRecords {
    const following = followingOffset(this.#bytes, this.#at, batch.baseOffset);
    this.#at = this.#bytes.length;
    const last = following === undefined ? batch.plausibleLastOffset : following - 1;
    const firstOffset = Math.max(batch.baseOffset, this.#from);
    return { kind: 'unreadable', firstOffset, lastOffset: Math.max(firstOffset, last), reason, raw: batch.raw };
  }

  #handOut(read: ReadRecords): ReadRecords {
    this.#nextOffset = (read.kind === 'record' ? read.offset : read.lastOffset) + 1;
    return read;
  }
}

/** The first offset of the sound batch at `at`, or undefined when there is none behind `after`. */
function followingOffset(bytes: Buffer, at: number, after: number): number | undefined {
  try {
    const batch = batchAt(bytes, at, after);
    return batch === undefined || batch.damage() !== undefined ? undefined : batch.baseOffset;
  } catch (error) {
    if (isPersistenceError(error, 'QUEUE_CORRUPT')) return undefined;
    throw error;
  }
}
