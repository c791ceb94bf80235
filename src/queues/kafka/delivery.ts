import type { Content, Position, Refusal } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { encodeMessage, type Message } from '../../domain/message.ts';
import { decodeBinary } from '../../domain/wire/binary.ts';
import { unreadable } from '../../domain/wire/event-content.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import { BatchRecords } from './protocol/batch-records.ts';
import type { KafkaRecord, PassedStretch, ReadRecords, UnreadableRecords } from './protocol/read-records.ts';
import { batchAt } from './protocol/record-batch.ts';
import { RecordReader } from './protocol/record-reader.ts';
import { RepeatedHeaders } from './protocol/repeated-headers.ts';

const nothing: Message = { key: undefined, headers: [], value: new Uint8Array(0) };

/** A partition of a topic. */
export interface PartitionPlace {
  readonly partition: number;
  /** How many the topic has. */
  readonly partitions: number;
  /** To tell whether a record lies where its session belongs. */
  readonly partitionOf: (session: SessionId) => number;
}

/**
 * What was read of a partition as a delivery; its content is decoded when somebody first asks for it. It holds views of
 * what was fetched or expanded, so that as long as one delivery of a batch lives, the whole batch does: keep encoded
 * copies, as parked commands and dead letters are.
 */
export class KafkaDelivery implements QueuedDelivery {
  readonly #read: ReadRecords;
  readonly #place: PartitionPlace;

  constructor(read: ReadRecords, place: PartitionPlace) {
    this.#read = read;
    this.#place = place;
  }

  // Made when asked for: thousands of deliveries are held until their commit, and whatever each holds is copied for it.
  get position(): Position {
    const { partition } = this.#place;
    return { partition, offset: this.#read.kind === 'record' ? this.#read.offset : this.#read.lastOffset };
  }

  get bytes(): number {
    return this.#read.kind === 'record' ? this.#read.bytes : this.#read.raw.length;
  }

  get isPassed(): boolean {
    return this.#read.kind === 'passed';
  }

  get content(): Content {
    return contentOf(this.#read, this.#place);
  }

  message(): Message {
    return messageOf(this.#read);
  }

  recordDigest(): Digest {
    return digestOf(this.#read);
  }
}

function contentOf(read: ReadRecords, place: PartitionPlace): Content {
  switch (read.kind) {
    case 'record':
      return contentOfRecord(read, place);
    case 'unreadable':
      return unreadable(unreadableRefusal(read, place.partition), undefined, () => encodeMessage(messageOf(read)));
    case 'passed':
      throw new TypeError('a passed stretch has no content');
  }
}

function unreadableRefusal({ firstOffset, lastOffset, reason }: UnreadableRecords, partition: number): Refusal {
  const offsets = firstOffset === lastOffset ? `offset ${firstOffset}` : `offsets ${firstOffset} to ${lastOffset}`;
  return { code: 'UNREADABLE_BATCH', message: `${offsets} of partition ${partition} cannot be read: ${reason}` };
}

/**
 * A record in another partition than its session's belongs to no session: another worker may have that session, so its
 * cursor is nothing that this delivery could be decided against.
 */
function contentOfRecord(record: KafkaRecord, { partition, partitions, partitionOf }: PartitionPlace): Content {
  const content = decodeBinary(record);
  if (content.kind === 'unreadable') return content;
  const { session } = content;
  const right = partitionOf(session);
  if (right !== partition) {
    const message =
      `the record lies in partition ${partition}, and session ${JSON.stringify(session)} belongs to ${right} of ` +
      `${partitions}: ${misplacement(record.key, session)}`;
    return unreadable({ code: 'WRONG_PARTITION', message }, session, () => encodeMessage(messageOf(record)));
  }
  return content.kind === 'numbered' || content.time !== undefined ? content : withTime(content, record.timestamp);
}

function misplacement(key: Uint8Array | undefined, session: SessionId): string {
  if (key === undefined) return 'it has no key, and needs the session id as its key';
  if (Buffer.compare(key, Buffer.from(session, 'utf8')) !== 0) return 'its key is not the session id';
  return "partition by murmur2 of the key, as Kafka's own client does";
}

/** 9999-12-31T23:59:59.999Z: RFC 3339 writes no later year. */
const latestTime = 253_402_300_799_999;

/** What came without a time of its own has that of its record. */
function withTime<Timed extends Content>(content: Timed, timestamp: number): Timed {
  const isTime = timestamp >= 0 && timestamp <= latestTime;
  return isTime ? { ...content, time: new Date(timestamp).toISOString() } : content;
}

function messageOf(read: ReadRecords): Message {
  if (read.kind === 'record') return { key: read.key, headers: read.headers, value: read.value };
  return read.kind === 'passed' ? nothing : { ...nothing, value: read.raw };
}

/**
 * The digest of the record at `offset` among what was fetched from there, whatever became of its transaction; the
 * one that {@link KafkaDelivery.recordDigest} had for it. Undefined when it is not there.
 */
export function recordDigestAt(records: Buffer, offset: number): Digest | undefined {
  const read = new RecordReader(records, [], offset).next();
  if (read === undefined) return undefined;
  const found = read.kind === 'record' ? read.offset : read.lastOffset;
  return found === offset ? digestOf(read) : undefined;
}

/** SHA-256 over offset and time, as 64-bit floating point numbers, and the message as `encodeMessage` writes it. */
function digestOf(read: ReadRecords): Digest {
  const last = read.kind === 'passed' ? lastOf(read) : read;
  const stamp = Buffer.alloc(16);
  stamp.writeDoubleBE(last.kind === 'record' ? last.offset : last.lastOffset, 0);
  stamp.writeDoubleBE(last.kind === 'record' ? last.timestamp : 0, 8);
  return bytesDigest(stamp, encodeMessage(messageOf(last)));
}

/** The record at the end of a stretch; the stretch itself when there is none. */
function lastOf(stretch: PassedStretch): ReadRecords {
  const batch = batchAt(stretch.raw, 0);
  if (batch === undefined) return stretch;
  return new BatchRecords(batch, new RepeatedHeaders(), stretch.lastOffset).next() ?? stretch;
}
