import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { tryWithin } from '../../patience.ts';
import { protocolFailure } from '../connection/failures.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import { type FetchedPartition, fetchRequest } from '../protocol/fetch.ts';
import type { ReadRecords } from '../protocol/read-records.ts';
import { RecordReader } from '../protocol/record-reader.ts';

/** A stretch of one partition. */
export interface PartitionStretch {
  readonly partition: number;
  /** First offset. */
  readonly from: number;
  /** The offset behind the last. */
  readonly to: number;
}

/** Milliseconds for which a fetch is tried again. */
const patience = 30_000;
const longestWait = 500;
const fetchedBytes = 4 * 1024 * 1024;

/**
 * Everything that a partition holds of a stretch, as it was committed, fetch by fetch. Throws what stands in the way
 * for longer than brokers need to change leaders.
 */
export async function* readPartition(
  brokers: TopicBrokers,
  clock: Clock,
  { partition, from, to }: PartitionStretch,
  signal?: AbortSignal,
): AsyncGenerator<readonly ReadRecords[]> {
  for (let next = from; next < to; ) {
    const offset = next;
    const fetched = await tryWithin(clock, patience, () => fetchAt(brokers, partition, offset, signal), signal);
    const reader = new RecordReader(fetched.records, fetched.abortedTransactions, offset);
    const records: ReadRecords[] = [];
    for (let read = reader.next(); read !== undefined; read = reader.next()) {
      if ((read.kind === 'record' ? read.offset : read.firstOffset) < to) records.push(read);
    }
    next = reader.nextOffset;
    if (records.length > 0) yield records;
  }
}

async function fetchAt(
  brokers: TopicBrokers,
  partition: number,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<FetchedPartition> {
  const fetched = await fetchPartition(brokers, partition, offset, longestWait, signal);
  if (fetched.records.length > 0) return fetched;
  const what = `offset ${offset} of partition ${partition} of topic ${brokers.topic.name} does not come`;
  throw new PersistenceError('QUEUE_UNAVAILABLE', `${what}, although it is there`);
}

/** What the leader of a partition holds from `offset` on, waiting at most `maxWait` milliseconds where that is nothing. */
async function fetchPartition(
  brokers: TopicBrokers,
  partition: number,
  offset: number,
  maxWait: number,
  signal?: AbortSignal,
): Promise<FetchedPartition> {
  const { topic } = brokers;
  const doing = `reading partition ${partition} of topic ${topic.name}`;
  const leader = (await brokers.leaders(signal)).get(partition);
  if (leader === undefined || leader.node < 0) {
    throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: nobody leads it at present`);
  }
  // The first batch of an answer comes whole, however large it is.
  const asked = { partition, offset, leaderEpoch: leader.epoch, maxBytes: fetchedBytes };
  const request = fetchRequest({
    topicId: topic.id,
    partitions: [asked],
    maxWait,
    minBytes: 1,
    maxBytes: fetchedBytes,
  });
  const answer = await brokers.send(leader.node, doing, request, { signal });
  if (answer.errorCode !== 0) throw protocolFailure(answer.errorCode, doing, 'Read');
  const fetched = answer.partitions.find((found) => found.partition === partition);
  if (fetched === undefined) throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: no answer about it`);
  if (fetched.errorCode !== 0) throw protocolFailure(fetched.errorCode, doing, 'Read');
  return fetched;
}
