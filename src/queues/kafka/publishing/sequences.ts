import { PersistenceError } from '../../../domain/errors.ts';
import { crc32c } from '../protocol/crc32c.ts';
import type { OutgoingBatch } from './batches.ts';
import type { BrokerFailure, BrokerLink } from './broker-link.ts';
import { stampBatch } from './record-batch.ts';
import type { ProducerIdentity } from './transaction-requests.ts';

/** Batches that are not known to be written, one a partition. */
export type OpenBatches = Map<number, OutgoingBatch>;

export function openBatches(round: readonly OutgoingBatch[]): OpenBatches {
  return new Map(round.map((batch) => [batch.partition, batch]));
}

const sequenceLimit = 2 ** 31;
const severity = { again: 0, 'new identity': 1, fenced: 2, final: 3 } as const;

/**
 * Numbers the records of one producer in each partition. The brokers know a batch that comes again by producer,
 * partition and number, and write it once, as long as it is the very same batch: until it is known to be written it
 * keeps its number, and nothing else may get that.
 */
export class Sequences {
  readonly #link: BrokerLink;
  readonly #isTransactional: boolean;
  readonly #next = new Map<number, number>();

  constructor(link: BrokerLink, isTransactional: boolean) {
    this.#link = link;
    this.#isTransactional = isTransactional;
  }

  /** Sends the open batches once. What was written gets its offset and is open no more; the worst failure of the rest. */
  async send(open: OpenBatches, identity: ProducerIdentity): Promise<BrokerFailure | undefined> {
    for (const { partition, bytes } of open.values()) {
      const stamp = { ...identity, sequence: this.#sequence(partition), isTransactional: this.#isTransactional };
      stampBatch(bytes, stamp, crc32c);
    }
    const answers = await this.#link.produce(new Map([...open].map(([partition, { bytes }]) => [partition, bytes])));
    let worst: BrokerFailure | undefined;
    for (const [partition, batch] of [...open]) {
      const answer = answers.get(partition) ?? unanswered();
      if (typeof answer === 'number') {
        batch.offset = answer;
        this.#next.set(partition, (this.#sequence(partition) + batch.count) % sequenceLimit);
        open.delete(partition);
      } else if (worst === undefined || severity[answer.asks] > severity[worst.asks]) worst = answer;
    }
    return worst;
  }

  /** Numbers from 0 on again: of another producer, or another epoch. */
  restart(): void {
    this.#next.clear();
  }

  #sequence(partition: number): number {
    return this.#next.get(partition) ?? 0;
  }
}

function unanswered(): BrokerFailure {
  const error = new PersistenceError(
    'QUEUE_UNAVAILABLE',
    'a broker answered for fewer partitions than it was asked for',
  );
  return { asks: 'again', error };
}
