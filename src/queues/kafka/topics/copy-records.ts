import { partitionOf, partitionOfKey } from '../../../domain/partition.ts';
import { decodeBinary } from '../../../domain/wire/binary.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import type { KafkaRecord, ReadRecords, UnreadableRecords } from '../protocol/read-records.ts';
import type { PlacedRecord } from '../publishing/batches.ts';
import { encodeRecordBody } from '../publishing/record-body.ts';
import type { RecordWriter } from '../publishing/record-writer.ts';
import { readPartition } from './read-partition.ts';

/** How many records there are to copy, and how many are. */
export interface CopyProgress {
  readonly copied: number;
  readonly total: number;
}

export interface CopyOptions {
  /** Those of the old topic. */
  readonly brokers: TopicBrokers;
  readonly clock: Clock;
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
  /** How many partitions the old topic was set up with. */
  readonly formerPartitions: number;
  readonly writer: RecordWriter;
  /** How many partitions the new topic has. */
  readonly partitions: number;
  /** Waited for. */
  readonly onProgress: ((progress: CopyProgress) => unknown) | undefined;
  readonly signal: AbortSignal | undefined;
}

type Copied = KafkaRecord | UnreadableRecords;

/** Bytes that are written together. */
const groupBytes = 4 * 1024 * 1024;

/**
 * Copies what the old topic holds within the bounds. Each of its partitions keeps its order, and among them the oldest
 * record goes first. Key, headers, value and time stay, byte for byte; what holds nothing for anybody is left out.
 */
export async function copyRecords(options: CopyOptions): Promise<void> {
  const { writer, onProgress, bounds } = options;
  const total = [...bounds.values()].reduce((sum, { start, end }) => sum + end - start, 0);
  let copied = 0;
  let group: PlacedRecord[] = [];
  let bytes = 0;
  const write = async (): Promise<void> => {
    if (group.length > 0) await writer.write(group);
    group = [];
    bytes = 0;
    await onProgress?.({ copied, total });
  };
  for await (const [from, read] of oldestFirst(options)) {
    copied += 1;
    if (read.kind === 'passed') continue;
    const record = placed(read, from, options);
    group.push(record);
    bytes += record.record.body.length;
    if (bytes >= groupBytes) await write();
  }
  copied = total;
  await write();
}

/** What is next of one partition. */
interface Head {
  readonly partition: number;
  readonly rest: AsyncGenerator<ReadRecords>;
  readonly next: ReadRecords;
}

async function* oldestFirst(options: CopyOptions): AsyncGenerator<readonly [partition: number, read: ReadRecords]> {
  let heads: Head[] = [];
  for (const [partition, { start, end }] of options.bounds) {
    const rest = oneByOne(options, { partition, from: start, to: end });
    const first = await rest.next();
    if (first.done !== true) heads.push({ partition, rest, next: first.value });
  }
  while (heads.length > 0) {
    const oldest = heads.reduce((one, other) => (timeOf(other.next) < timeOf(one.next) ? other : one));
    yield [oldest.partition, oldest.next];
    const following = await oldest.rest.next();
    heads = heads.flatMap((head) => {
      if (head !== oldest) return [head];
      return following.done === true ? [] : [{ ...oldest, next: following.value }];
    });
  }
}

async function* oneByOne(
  { brokers, clock, signal }: CopyOptions,
  stretch: { readonly partition: number; readonly from: number; readonly to: number },
): AsyncGenerator<ReadRecords> {
  for await (const records of readPartition(brokers, clock, stretch, signal)) yield* records;
}

/** What has no time of its own goes at once: nothing waits for it. */
function timeOf(read: ReadRecords): number {
  return read.kind === 'record' ? read.timestamp : Number.NEGATIVE_INFINITY;
}

function placed(read: Copied, from: number, options: CopyOptions): PlacedRecord {
  const timestamp = Math.max(0, read.kind === 'record' ? read.timestamp : options.clock.now());
  const message = read.kind === 'record' ? read : { key: undefined, headers: [], value: read.raw };
  const body = (read.kind === 'record' ? read.body : undefined) ?? encodeRecordBody(message);
  return { partition: placeOf(read, from, options), record: { timestamp, body } };
}

/**
 * Where a record goes: where its session belongs, or its key where no session can be read. One that lay in a partition
 * where its session did not belong was refused, and lies in a wrong one again, so that it is refused by every replay;
 * but not when the topic was given more partitions: producers took account of that.
 */
function placeOf(read: Copied, from: number, { brokers, formerPartitions, partitions }: CopyOptions): number {
  if (read.kind !== 'record') return from % partitions;
  const { key, headers, value } = read;
  const { session } = decodeBinary({ key, headers, value });
  if (session === undefined) return key === undefined ? from % partitions : partitionOfKey(key, partitions);
  const right = partitionOf(session, partitions);
  const wasRight = [formerPartitions, brokers.topic.partitions].some((count) => partitionOf(session, count) === from);
  return wasRight ? right : (right + 1) % partitions;
}
