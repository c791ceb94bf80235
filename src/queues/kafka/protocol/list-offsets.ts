import { type BodyReader, readBody } from './body-reader.ts';
import { BodyWriter } from './body-writer.ts';
import type { ProtocolRequest } from './protocol-request.ts';

/**
 * `earliest`: first offset still held. `latest`: the last stable offset, behind the last record that counts. `written`:
 * behind the last record that is written by all replicas in sync, decided or not. A time, in milliseconds since 1970: the
 * first record at or after it, -1 where there is none.
 */
export type OffsetPlace = 'earliest' | 'latest' | 'written' | { readonly time: number };

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

/** ListOffsets v5 (KIP-320), reading committed but for `written`, of partitions that one broker leads. */
export function listOffsetsRequest(
  topic: string,
  partitions: readonly ListOffsetsPartition[],
  place: OffsetPlace,
): ProtocolRequest<readonly ListedOffset[]> {
  const timestamp = typeof place === 'string' ? timestamps[place] : BigInt(place.time);
  const isolation = place === 'written' ? readUncommitted : readCommitted;
  const body = new BodyWriter().int32(noReplica).int8(isolation).int32(1).text(topic).int32(partitions.length);
  for (const { partition, leaderEpoch } of partitions) {
    body.int32(partition).int32(leaderEpoch).int64(timestamp);
  }
  return {
    apiKey: 2,
    apiName: 'ListOffsets',
    apiVersion: 5,
    body: body.finish(),
    read: (payload) => readBody('ListOffsets', payload, readAnswer),
  };
}

const noReplica = -1;
const readUncommitted = 0;
const readCommitted = 1;
/** Timestamps that stand for the ends of a log. */
const timestamps: Readonly<Record<Extract<OffsetPlace, string>, bigint>> = {
  earliest: -2n,
  latest: -1n,
  written: -1n,
};

function readAnswer(answer: BodyReader): readonly ListedOffset[] {
  answer.int32();
  const topics = answer.list(() => {
    answer.text();
    return answer.list(() => readPartition(answer));
  });
  return topics.flat();
}

function readPartition(answer: BodyReader): ListedOffset {
  const partition = answer.int32();
  const errorCode = answer.int16();
  // The record's timestamp; behind the offset stands the epoch of its leader.
  answer.int64();
  const offset = Number(answer.int64());
  answer.int32();
  return { partition, errorCode, offset };
}
