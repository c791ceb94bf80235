import type { Command } from '../../../domain/command.ts';
import type { Position } from '../../../domain/delivery.ts';
import { PersistenceError } from '../../../domain/errors.ts';
import { partitionOf } from '../../../domain/partition.ts';
import { encodeBinary } from '../../../domain/wire/binary.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Lane } from '../../lane.ts';
import type { WaitingRecord } from '../../publishes.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import { ClusterLink } from './broker-link.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import type { ProducerOptions } from './producer.ts';
import { type BatchCodec, batchOverhead, recordBytes } from './record-batch.ts';
import { encodeRecordBody, type RecordBody } from './record-body.ts';
import { groupWriter, producerTimes } from './record-writer.ts';
import { TransactionalProducer } from './transactional-producer.ts';
import { untilRead } from './until-read.ts';

/** How commands are published. Sizes in bytes, times in milliseconds. */
export interface PublisherOptions {
  /** Connections for publishing alone; this closes them. */
  readonly brokers: TopicBrokers;
  readonly clock: Clock;
  /** Makes every group of commands a transaction under this id. */
  readonly transactionalId: string | undefined;
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly codec: BatchCodec | undefined;
  readonly maximumWaitingBytes: number;
  /** The largest record batch that the topic takes. */
  readonly largestBatch: number;
}

/** How much is written as one group: enough for full batches of many partitions, small enough to be answered soon. */
const batchesOfGroup = 8;
const mostGroupBytes = 32 * 1024 * 1024;

/** Milliseconds for which closing waits for the answer to what is being written. */
const grace = 5_000;

/** Publishes commands to the partitions of one topic. Connects when it is first used. */
export class KafkaPublisher {
  readonly #options: PublisherOptions;
  readonly #closing = new AbortController();
  readonly #producing: ProducerOptions;
  /** There with a transactional id. */
  readonly #transactions: TransactionalProducer | undefined;
  readonly #lane: Lane<RecordBody>;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { brokers, clock, transactionalId, batchBytes } = options;
    const { patience, ...timeouts } = producerTimes;
    const link = new ClusterLink({ brokers, topic: brokers.topic, transactionalId, ...timeouts });
    this.#producing = { link, clock, patience, closing: this.#closing.signal };
    if (transactionalId !== undefined) this.#transactions = new TransactionalProducer(this.#producing);
    const producer = this.#transactions ?? new IdempotentProducer(this.#producing);
    this.#lane = new Lane({
      ...options,
      writer: groupWriter(producer, clock, options),
      groupBytes: Math.min(mostGroupBytes, batchBytes * batchesOfGroup),
    });
  }

  /** As {@link settle} when it is called first; then the first publish takes no longer than any other. */
  async open(): Promise<void> {
    await this.#lane.open();
    const { topic } = this.#options.brokers;
    await this.#transactions?.rehearse(Array.from({ length: topic.partitions }, (_, partition) => partition));
    await untilRead(this.#producing);
  }

  /**
   * Connects, where there is a transactional id shuts predecessors out or, called again, waits for what was published
   * before, and gives up what is not known to be committed. Resolves once readers get to the end of what was committed.
   * Throws what a publish would.
   */
  async settle(): Promise<void> {
    await this.#lane.open();
    await untilRead(this.#producing);
  }

  /** See `Queue.publish`. The commands are those that a worker accepts. */
  async publish(commands: readonly Command[], signal: AbortSignal | undefined): Promise<readonly Position[]> {
    return await this.#lane.publish(
      commands.map((command) => this.#recordOf(command)),
      signal,
    );
  }

  /** See `Queue.whenWritable`. */
  whenWritable(signal: AbortSignal | undefined): Promise<void> {
    return this.#lane.whenWritable(signal);
  }

  /** Settles what is being written: what fails is not tried again, and a broker that hangs is not waited for. Idempotent. */
  async close(): Promise<void> {
    const { brokers, clock } = this.#options;
    this.#closing.abort();
    const settled = new AbortController();
    const late = clock.sleep(grace, settled.signal).then(
      () => brokers.close(),
      () => undefined,
    );
    await this.#lane.close();
    settled.abort();
    await late;
    await brokers.close();
  }

  #recordOf(command: Command): WaitingRecord<RecordBody> {
    const { brokers, largestBatch } = this.#options;
    const body = encodeRecordBody(encodeBinary(command));
    const bytes = batchOverhead + recordBytes({ body });
    if (bytes > largestBatch) {
      const message = `command ${command.id} takes ${bytes} bytes, and topic ${brokers.topic.name} takes ${largestBatch} at most`;
      throw new PersistenceError('DATA_TOO_LARGE', message);
    }
    return { partition: partitionOf(command.session, brokers.topic.partitions), body };
  }
}
