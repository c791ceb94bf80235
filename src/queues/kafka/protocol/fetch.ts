import { type BodyReader, readBody } from './body-reader.ts';
import { BodyWriter } from './body-writer.ts';
import type { ProtocolRequest } from './protocol-request.ts';

/** A topic's id as Kafka writes it for people: 16 bytes in base64url, 22 characters. */
export type TopicId = string;

/** One partition to fetch from. */
export interface FetchPartition {
  readonly partition: number;
  /** First offset wanted. */
  readonly offset: number;
  /** The leader's epoch as metadata told it: another one is refused, so that a change of leaders never goes unnoticed. */
  readonly leaderEpoch: number;
  /** Most bytes of this partition; its first batch comes whole in any case when it is the first one that has any. */
  readonly maxBytes: number;
}

export interface FetchOptions {
  readonly topicId: TopicId;
  /** Served in this order while `maxBytes` last: turn it from request to request. */
  readonly partitions: readonly FetchPartition[];
  /** Most milliseconds that the broker waits for `minBytes`. */
  readonly maxWait: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** A transaction that was given up: its records, from this offset to the producer's next abort marker, count for nothing. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly partition: number;
  /** 0, or why there is nothing: see `protocolFailure`. */
  readonly errorCode: number;
  /** Offset behind the last record that enough replicas hold; -1 where unknown. */
  readonly highWatermark: number;
  /** Offset behind the last record of which it is decided whether it counts. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches as the broker keeps them, the last one possibly cut short: a view of the whole answer. */
  readonly records: Buffer;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Fetch v13 (KIP-516), reading committed. By topic id: of a topic made anew, nothing is fetched. */
export function fetchRequest(options: FetchOptions): ProtocolRequest<FetchResponse> {
  const { topicId, partitions, maxWait, minBytes, maxBytes } = options;
  const body = new BodyWriter().noTags().int32(noReplica).int32(maxWait).int32(minBytes).int32(maxBytes);
  body.int8(readCommitted).int32(noSession).int32(noSessionEpoch);
  body.compactLength(1).raw(Buffer.from(topicId, 'base64url')).compactLength(partitions.length);
  for (const { partition, offset, leaderEpoch, maxBytes: most } of partitions) {
    body.int32(partition).int32(leaderEpoch).int64(BigInt(offset)).int32(unknownEpoch).int64(unknownOffset);
    body.int32(most).noTags();
  }
  body.noTags().compactLength(0).compactText('').noTags();
  return {
    apiKey: 1,
    apiName: 'Fetch',
    apiVersion: 13,
    body: body.finish(),
    timeout: maxWait + answerTime,
    read: (payload) => readBody('Fetch', payload, readAnswer),
  };
}

/** A consumer is no replica, and needs none near it. */
const noReplica = -1;
const readCommitted = 1;
/** Sessions spare naming many partitions again; a consumer of one topic has few. */
const noSession = 0;
const noSessionEpoch = -1;
const unknownEpoch = -1;
const unknownOffset = -1n;
/** Milliseconds that the answer itself may take when the broker has waited as long as it may. */
const answerTime = 5_000;

function readAnswer(answer: BodyReader): FetchResponse {
  answer.skipTags();
  // How long the broker holds this client back: it does so by itself.
  answer.int32();
  const errorCode = answer.int16();
  answer.int32();
  const topics = answer.compactList(() => {
    answer.take(16);
    const partitions = answer.compactList(() => readPartition(answer));
    answer.skipTags();
    return partitions;
  });
  return { errorCode, partitions: topics.flat() };
}

function readPartition(answer: BodyReader): FetchedPartition {
  const partition = answer.int32();
  const errorCode = answer.int16();
  const highWatermark = Number(answer.int64());
  const lastStableOffset = Number(answer.int64());
  const logStartOffset = Number(answer.int64());
  const abortedTransactions = answer.compactList(() => {
    const aborted = { producerId: answer.int64(), firstOffset: Number(answer.int64()) };
    answer.skipTags();
    return aborted;
  });
  // The replica to read from instead: this client named no place that it is near to.
  answer.int32();
  const records = answer.take(Math.max(0, answer.unsignedVarint() - 1));
  answer.skipTags();
  return { partition, errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records };
}
