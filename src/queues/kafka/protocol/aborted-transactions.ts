import { BatchRecords } from './batch-records.ts';
import type { AbortedTransaction } from './fetch.ts';
import type { RecordBatch } from './record-batch.ts';
import { RepeatedHeaders } from './repeated-headers.ts';

const noProducer = -1n;
/** Type of the control record (KIP-98) that ends a transaction of its producer which was given up. */
const abortType = 0;

/** What a batch says to its readers: none at all unless it is a control batch. */
export type Control = 'none' | 'abort' | 'other';

/**
 * Tells which batches belong to transactions that were given up, as Apache Kafka's own client does (CompletedFetch): a
 * transaction counts as open from its first offset until the next abort marker of its producer.
 */
export class AbortedTransactions {
  readonly #waiting: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((one, other) => other.firstOffset - one.firstOffset);
  }

  /** True when nothing in `batch` counts. To be asked about every batch, in order, with what it says as control batch. */
  excludes(batch: RecordBatch, control: Control): boolean {
    const { producerId } = batch;
    if (producerId === noProducer) return control !== 'none';
    for (let next = this.#waiting.at(-1); next !== undefined; next = this.#waiting.at(-1)) {
      if (next.firstOffset > batch.lastOffset) break;
      this.#open.add(next.producerId);
      this.#waiting.pop();
    }
    if (control === 'abort') this.#open.delete(producerId);
    if (control !== 'none') return true;
    return batch.isTransactional && this.#open.has(producerId);
  }
}

/** What the one record of a control batch says; undefined when it cannot be read. Its key: version and type, 16 bits each. */
export function controlOf(batch: RecordBatch): Control | undefined {
  // Compaction takes the markers of long ended transactions out of their batches.
  if (batch.count === 0) return 'other';
  const first = new BatchRecords(batch, new RepeatedHeaders(), batch.baseOffset).next();
  if (first?.kind !== 'record' || first.key === undefined || first.key.length < 4) return undefined;
  return ((first.key[2] ?? 0) << 8) + (first.key[3] ?? 0) === abortType ? 'abort' : 'other';
}
