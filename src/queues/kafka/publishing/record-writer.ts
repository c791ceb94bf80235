import type { Position } from '../../../domain/delivery.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { GroupWriter } from '../../lane.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import { type BatchOptions, type BatchPlace, batchRecords, type PlacedRecord } from './batches.ts';
import { ClusterLink } from './broker-link.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import type { Producer } from './producer.ts';
import type { RecordBody } from './record-body.ts';

export interface RecordWriterOptions extends BatchOptions {
  /** Those of the topic; they belong to whoever opened them. */
  readonly brokers: TopicBrokers;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

/** How publishers deal with brokers. Times in milliseconds. */
export const producerTimes = {
  /** For how long a write that fails is tried again. */
  patience: 30_000,
  /** How long a broker waits for the replicas. */
  produceTimeout: 15_000,
  /** After which a transaction that its producer left open is given up by the brokers. */
  transactionTimeout: 60_000,
} as const;

/** Writes records of any kind to a topic, one call at a time, without transactions. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #producer: IdempotentProducer;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    const { brokers, clock, closing } = options;
    const { patience, ...timeouts } = producerTimes;
    const link = new ClusterLink({ brokers, topic: brokers.topic, transactionalId: undefined, ...timeouts });
    this.#producer = new IdempotentProducer({ link, clock, patience, closing });
  }

  /** Resolves with where the records stand, once all are written by all replicas in sync. See `Producer.write`. */
  async write(records: readonly PlacedRecord[]): Promise<readonly Position[]> {
    return writeRecords(this.#producer, records, this.#options);
  }
}

/** Writes groups of commands with a producer; each record is given the time of its group. */
export function groupWriter(producer: Producer, clock: Clock, options: BatchOptions): GroupWriter<RecordBody> {
  return {
    open: () => producer.open(),
    write(records) {
      const timestamp = clock.now();
      const placed = records.map(({ partition, body }) => ({ partition, record: { timestamp, body } }));
      return writeRecords(producer, placed, options);
    },
  };
}

async function writeRecords(
  producer: Producer,
  records: readonly PlacedRecord[],
  options: BatchOptions,
): Promise<readonly Position[]> {
  const { rounds, places } = await batchRecords(records, options);
  await producer.write(rounds);
  return places.map(positionOf);
}

/** Where a record that was written stands. */
export function positionOf({ batch, index }: BatchPlace): Position {
  if (batch.offset === undefined) throw new TypeError('a batch that was written has an offset');
  return { partition: batch.partition, offset: batch.offset + index };
}
