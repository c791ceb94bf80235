import type { Content, Position } from '../../domain/delivery.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Message } from '../../domain/message.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import type { ReadRecords } from './protocol/record-reader.ts';

/** What was read of a partition as a delivery; its content is decoded when somebody first asks for it. */
export declare class KafkaDelivery implements QueuedDelivery {
  /** `partitions`: how many the topic has, to tell whether a record lies where its session belongs. */
  constructor(read: ReadRecords, partition: number, partitions: number);
  get content(): Content;
  readonly position: Position;
  readonly bytes: number;
  get isPassed(): boolean;
  message(): Message;
  recordDigest(): Digest;
}

/**
 * The digest of the record at `offset` among what was fetched from there, whatever became of its transaction; the
 * one that {@link KafkaDelivery.recordDigest} had for it. Undefined when it is not there.
 */
export declare function recordDigestAt(records: Buffer, offset: number): Digest | undefined;
