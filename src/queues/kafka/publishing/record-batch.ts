import { type RecordBody, varintBytes, writeVarint } from './record-body.ts';

/** A record before it is put into a batch. */
export interface OutgoingRecord {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly body: RecordBody;
}

/** Who writes a batch, so that the broker writes it once, and only while its writer is not shut out. */
export interface BatchStamp {
  readonly producerId: bigint;
  readonly epoch: number;
  /** The number of its first record within producer and partition. */
  readonly sequence: number;
  readonly isTransactional: boolean;
}

/** How the records of a batch are compressed: the number that stands for it in the format, and the compressing. */
export interface BatchCodec {
  readonly id: number;
  compress(records: Buffer): Buffer | Promise<Buffer>;
}

/** Bytes of a batch before its records. */
export const batchOverhead = 61;
const magic = 2;
const at = { length: 8, leaderEpoch: 12, magic: 16, crc: 17, attributes: 21, lastDelta: 23 } as const;
const transactionalFlag = 0x10;
const twoTo32 = 0x1_0000_0000;

/** The most bytes that a record takes in a batch. */
export function recordBytes({ body }: Pick<OutgoingRecord, 'body'>): number {
  // Length, attributes, the deltas of timestamp and offset at their longest, body.
  return 5 + 1 + 10 + 5 + body.length;
}

/**
 * One record batch of format 2 (Apache Kafka, "Record Batch"): `records` in their order, at least one. Everything is
 * in it but the checksum and the stamp, which {@link stampBatch} writes in place, as often as the batch is sent.
 */
export async function encodeBatch(records: readonly OutgoingRecord[], codec: BatchCodec | undefined): Promise<Buffer> {
  const first = records[0];
  if (first === undefined) throw new TypeError('a batch holds at least one record');
  const room = records.reduce((sum, record) => sum + recordBytes(record), batchOverhead);
  const plain = Buffer.allocUnsafe(room);
  const end = writeRecords(plain, batchOverhead, records, first.timestamp);
  const batch = codec === undefined ? plain.subarray(0, end) : await compressed(plain, end, codec);
  batch.fill(0, 0, at.length);
  batch.writeInt32BE(batch.length - at.leaderEpoch, at.length);
  batch.writeInt32BE(-1, at.leaderEpoch);
  batch[at.magic] = magic;
  batch.writeInt16BE(codec?.id ?? 0, at.attributes);
  batch.writeInt32BE(records.length - 1, at.lastDelta);
  writeInt64(batch, 27, first.timestamp);
  writeInt64(
    batch,
    35,
    records.reduce((latest, { timestamp }) => Math.max(latest, timestamp), first.timestamp),
  );
  batch.writeInt32BE(records.length, 57);
  return batch;
}

async function compressed(plain: Buffer, end: number, codec: BatchCodec): Promise<Buffer> {
  const records = await codec.compress(plain.subarray(batchOverhead, end));
  return Buffer.concat([plain.subarray(0, batchOverhead), records]);
}

/** Writes the stamp and the checksum into a batch of {@link encodeBatch}. */
export function stampBatch(batch: Buffer, stamp: BatchStamp, checksum: (bytes: Uint8Array) => number): void {
  const codec = batch.readInt16BE(at.attributes) & ~transactionalFlag;
  batch.writeInt16BE(stamp.isTransactional ? codec | transactionalFlag : codec, at.attributes);
  batch.writeBigInt64BE(stamp.producerId, 43);
  batch.writeInt16BE(stamp.epoch, 51);
  batch.writeInt32BE(stamp.sequence, 53);
  batch.writeUInt32BE(checksum(batch.subarray(at.attributes)), at.crc);
}

function writeRecords(bytes: Buffer, start: number, records: readonly OutgoingRecord[], base: number): number {
  let place = start;
  for (const [index, { timestamp, body }] of records.entries()) {
    const delta = timestamp - base;
    place = writeVarint(bytes, place, 1 + varlongBytes(delta) + varintBytes(index) + body.length);
    bytes[place] = 0;
    place = writeVarlong(bytes, place + 1, delta);
    place = writeVarint(bytes, place, index);
    bytes.set(body, place);
    place += body.length;
  }
  return place;
}

function varlongBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

function writeVarlong(bytes: Buffer, start: number, value: number): number {
  let place = start;
  let rest = zigzag(value);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes[place] = (rest % 0x80) | 0x80;
    place += 1;
  }
  bytes[place] = rest;
  return place + 1;
}

/** Timestamps are below 2^52 ms in size, so that twice a difference of two is exact. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function writeInt64(bytes: Buffer, place: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / twoTo32), place);
  bytes.writeUInt32BE(value - Math.floor(value / twoTo32) * twoTo32, place + 4);
}
