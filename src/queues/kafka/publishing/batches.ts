import { type BatchCodec, batchOverhead, encodeBatch, type OutgoingRecord, recordBytes } from './record-batch.ts';

/** A record on its way to a partition. */
export interface PlacedRecord {
  readonly partition: number;
  readonly record: OutgoingRecord;
}

/** Records of one partition that are written together, or not. */
export interface OutgoingBatch {
  readonly partition: number;
  readonly count: number;
  /** As `encodeBatch` made it. */
  readonly bytes: Buffer;
  /** Offset of the first record, once it is known to be written. */
  offset: number | undefined;
}

/** Where a record stands: which batch, and as which of its records. */
export interface BatchPlace {
  readonly batch: OutgoingBatch;
  readonly index: number;
}

export interface BatchOptions {
  /** Most bytes that a batch takes before it is compressed; a record that takes more has one of its own. */
  readonly batchBytes: number;
  readonly codec: BatchCodec | undefined;
}

/** Records put into batches: in which order a partition's have to be written, and where each record stands. */
export interface BatchedRecords {
  /** Every round holds one batch a partition at most; a round is written before the next. */
  readonly rounds: readonly (readonly OutgoingBatch[])[];
  /** In the order of the records. */
  readonly places: readonly BatchPlace[];
}

/** Most bytes of batches in one request, unless one batch is larger. */
const requestBytes = 32 * 1024 * 1024;

interface Filling {
  readonly partition: number;
  readonly records: OutgoingRecord[];
  readonly indexes: number[];
  bytes: number;
}

/** Splits records by partition into batches, keeping the order of each partition. */
export async function batchRecords(placed: readonly PlacedRecord[], options: BatchOptions): Promise<BatchedRecords> {
  const places: BatchPlace[] = [];
  const rounds: OutgoingBatch[][] = [];
  for (const [round, fillings] of fill(placed, options.batchBytes).entries()) {
    const batches = await Promise.all(fillings.map((filling) => encodeFilling(filling, options.codec)));
    rounds[round] = batches;
    for (const [at, { indexes }] of fillings.entries()) {
      const batch = batches[at];
      if (batch !== undefined) for (const [index, record] of indexes.entries()) places[record] = { batch, index };
    }
  }
  return { rounds: rounds.flatMap(inParts), places };
}

/** Splits what is too much for one request: brokers refuse requests of more than 100 MiB. */
function inParts(round: readonly OutgoingBatch[]): readonly (readonly OutgoingBatch[])[] {
  const parts: OutgoingBatch[][] = [];
  let room = 0;
  for (const batch of round) {
    const part = parts.at(-1);
    if (part !== undefined && batch.bytes.length <= room) part.push(batch);
    else {
      parts.push([batch]);
      room = requestBytes;
    }
    room -= batch.bytes.length;
  }
  return parts;
}

async function encodeFilling({ partition, records }: Filling, codec: BatchCodec | undefined): Promise<OutgoingBatch> {
  return { partition, count: records.length, bytes: await encodeBatch(records, codec), offset: undefined };
}

function fill(placed: readonly PlacedRecord[], batchBytes: number): readonly (readonly Filling[])[] {
  const rounds: Filling[][] = [];
  const latest = new Map<number, { readonly round: number; readonly filling: Filling }>();
  for (const [index, { partition, record }] of placed.entries()) {
    const bytes = recordBytes(record);
    let last = latest.get(partition);
    if (last === undefined || last.filling.bytes + bytes > batchBytes) {
      const round = (last?.round ?? -1) + 1;
      const filling: Filling = { partition, records: [], indexes: [], bytes: batchOverhead };
      rounds[round] ??= [];
      rounds[round].push(filling);
      last = { round, filling };
      latest.set(partition, last);
    }
    last.filling.records.push(record);
    last.filling.indexes.push(index);
    last.filling.bytes += bytes;
  }
  return rounds;
}
