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
export declare function fetchRequest(options: FetchOptions): ProtocolRequest<FetchResponse>;
