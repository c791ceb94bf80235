import type { TopicId } from './fetch.ts';
import type { ProtocolRequest } from './protocol-request.ts';

export interface TopicMetadata {
  /** 0, or why the rest is empty: see `protocolFailure`. */
  readonly errorCode: number;
  readonly name: string;
  readonly topicId: TopicId;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partition: number;
  /** Node id, or -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

/** Metadata v12 (KIP-516) of topics by name, without making any. */
export declare function metadataRequest(names: readonly string[]): ProtocolRequest<readonly TopicMetadata[]>;
