import type { ProtocolRequest } from './protocol-request.ts';

/** `earliest`: first offset still held. `latest`: the last stable offset, behind the last record that counts. */
export type OffsetPlace = 'earliest' | 'latest';

export interface ListOffsetsPartition {
  readonly partition: number;
  readonly leaderEpoch: number;
}

export interface ListedOffset {
  readonly partition: number;
  /** 0, or why there is no offset: see `protocolFailure`. */
  readonly errorCode: number;
  readonly offset: number;
}

/** ListOffsets v5, reading committed, of partitions that one broker leads. */
export declare function listOffsetsRequest(
  topic: string,
  partitions: readonly ListOffsetsPartition[],
  place: OffsetPlace,
): ProtocolRequest<readonly ListedOffset[]>;
