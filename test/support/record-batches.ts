import { createRequire } from 'node:module';
import type { Message } from '../../src/domain/message.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import type { PartitionPlace } from '../../src/queues/kafka/delivery.ts';
import { crc32c } from '../../src/queues/kafka/protocol/crc32c.ts';
import type { ReadRecords } from '../../src/queues/kafka/protocol/read-records.ts';
import { RecordReader } from '../../src/queues/kafka/protocol/record-reader.ts';

/** The header of a record batch, and its records as they stand on the wire. */
export interface BatchFields {
  readonly baseOffset: number;
  readonly magic: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly count: number;
  readonly records: Buffer;
}

/** Bits of the attributes. */
export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export const logAppendTime = 0x08;
export const transactional = 0x10;
export const control = 0x20;

const defaults: BatchFields = {
  baseOffset: 0,
  magic: 2,
  attributes: 0,
  lastOffsetDelta: 0,
  baseTimestamp: 0,
  maxTimestamp: 0,
  producerId: -1,
  count: 1,
  records: Buffer.alloc(0),
};

/** A record batch with whatever is asked for in it, and a checksum that matches. */
export function rawBatch(given: Partial<BatchFields>): Buffer {
  const fields = { ...defaults, ...given };
  const batch = Buffer.concat([Buffer.alloc(61), fields.records]);
  batch.writeBigInt64BE(BigInt(fields.baseOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(fields.magic, 16);
  batch.writeInt16BE(fields.attributes, 21);
  batch.writeInt32BE(fields.lastOffsetDelta, 23);
  batch.writeBigInt64BE(BigInt(fields.baseTimestamp), 27);
  batch.writeBigInt64BE(BigInt(fields.maxTimestamp), 35);
  batch.writeBigInt64BE(BigInt(fields.producerId), 43);
  batch.writeInt32BE(fields.count, 57);
  return checksummed(batch);
}

/** The batch with its checksum made anew, in place. */
export function checksummed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** Any number, however large, in zigzag encoding. */
export function varint(value: number | bigint): Buffer {
  const signed = BigInt(value);
  const bytes: number[] = [];
  let rest = signed < 0n ? -2n * signed - 1n : 2n * signed;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A byte string behind its length. */
export function sized(bytes: Uint8Array | undefined): Buffer {
  return bytes === undefined ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

/** One record as it stands in a batch. */
export function rawRecord(offsetDelta: number, timestampDelta: number, message: Message): Buffer {
  const headers = message.headers.flatMap(([name, value]) => [sized(Buffer.from(name, 'utf8')), sized(value)]);
  return rawRecordOf(offsetDelta, timestampDelta, [
    sized(message.key),
    sized(message.value),
    varint(message.headers.length),
    ...headers,
  ]);
}

/** A record of which everything behind the deltas is given. */
export function rawRecordOf(offsetDelta: number, timestampDelta: number, body: readonly Buffer[]): Buffer {
  return sized(Buffer.concat([Buffer.from([0]), varint(timestampDelta), varint(offsetDelta), ...body]));
}

export function message(key: string, value: string, headers: Readonly<Record<string, string>> = {}): Message {
  return {
    key: Buffer.from(key, 'utf8'),
    headers: Object.entries(headers).map(([name, content]) => [name, Buffer.from(content, 'utf8')] as const),
    value: Buffer.from(value, 'utf8'),
  };
}

/** A batch of these messages, one an offset and a millisecond. */
export function batchOf(messages: readonly Message[], fields: Partial<BatchFields> = {}): Buffer {
  const records = Buffer.concat(messages.map((each, index) => rawRecord(index, index, each)));
  return rawBatch({ lastOffsetDelta: messages.length - 1, count: messages.length, records, ...fields });
}

/** The marker that ends a transaction: of type 0 when it was given up, 1 when it counts. */
export function markerBatch(baseOffset: number, producerId: number, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const marker: Message = { key, headers: [], value: Buffer.alloc(6) };
  return batchOf([marker], { baseOffset, producerId, attributes: control | transactional });
}

/** A partition of a topic of so many. */
export function placeIn(partition: number, partitions: number): PartitionPlace {
  return { partition, partitions, partitionOf: (session) => partitionOf(session, partitions) };
}

/** Everything that a reader hands out, taken apart. */
export function readAll(reader: RecordReader): ReadRecords[] {
  const all: ReadRecords[] = [];
  for (let read = reader.next(); read !== undefined; read = reader.next()) all.push(takenApart(read));
  return all;
}

function takenApart(read: ReadRecords): ReadRecords {
  if (read.kind !== 'record') return read;
  const { kind, offset, timestamp, key, headers, value, bytes } = read;
  return {
    kind,
    offset,
    timestamp,
    key: key && Buffer.from(key),
    headers: headers.map(([name, each]) => [name, Buffer.from(each)]),
    value: Buffer.from(value),
    bytes,
  };
}

/** What is read of batches from an offset on, when no transaction was given up. */
export function readFrom(bytes: Buffer, fromOffset = 0): ReadRecords[] {
  return readAll(new RecordReader(bytes, [], fromOffset));
}

interface KafkajsEncoder {
  readonly buffer: Buffer;
}

interface KafkajsRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, readonly Buffer[]>>;
}

/** A batch as kafkajs writes it. */
export async function kafkajsBatch(
  records: readonly KafkajsRecord[],
  fields: { readonly firstOffset: number; readonly firstTimestamp: number },
): Promise<Buffer> {
  const require = createRequire(import.meta.url);
  const encodeRecord: (record: KafkajsRecord) => KafkajsEncoder = require('kafkajs/src/protocol/recordBatch/record/v0');
  const {
    RecordBatch,
  }: { RecordBatch: (batch: object) => Promise<KafkajsEncoder> } = require('kafkajs/src/protocol/recordBatch/v0');
  const lastOffsetDelta = records.length - 1;
  const batch = await RecordBatch({ ...fields, lastOffsetDelta, records: records.map(encodeRecord) });
  return Buffer.from(batch.buffer);
}
