import { type BodyReader, readBody } from './body-reader.ts';
import { BodyWriter } from './body-writer.ts';
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
  /** How many brokers are to keep it. */
  readonly replicas: number;
}

/** Metadata v12 (KIP-516) of topics by name, without making any. */
export function metadataRequest(names: readonly string[]): ProtocolRequest<readonly TopicMetadata[]> {
  const body = new BodyWriter().noTags().compactLength(names.length);
  for (const name of names) body.raw(noTopicId).compactText(name).noTags();
  // Neither topics that do not exist are to be made, nor the operations that we may do to be told.
  body.int8(0).int8(0).noTags();
  return {
    apiKey: 3,
    apiName: 'Metadata',
    apiVersion: 12,
    body: body.finish(),
    read: (payload) => readBody('Metadata', payload, readAnswer),
  };
}

const topicIdBytes = 16;
const noTopicId = Buffer.alloc(topicIdBytes);

function readAnswer(answer: BodyReader): readonly TopicMetadata[] {
  answer.skipTags();
  answer.int32();
  answer.compactList(() => skipBroker(answer));
  // The cluster's id and its controller.
  answer.compactText();
  answer.int32();
  return answer.compactList(() => readTopic(answer));
}

function skipBroker(answer: BodyReader): void {
  answer.int32();
  answer.compactText();
  answer.int32();
  answer.compactText();
  answer.skipTags();
}

function readTopic(answer: BodyReader): TopicMetadata {
  const errorCode = answer.int16();
  const name = answer.compactText() ?? '';
  const topicId = answer.take(topicIdBytes).toString('base64url');
  // Whether it is one of Kafka's own.
  answer.take(1);
  const partitions = answer.compactList(() => readPartition(answer));
  // Which operations we may do: not asked for.
  answer.int32();
  answer.skipTags();
  return { errorCode, name, topicId, partitions };
}

function readPartition(answer: BodyReader): PartitionMetadata {
  const errorCode = answer.int16();
  const partition = answer.int32();
  const leader = answer.int32();
  const leaderEpoch = answer.int32();
  const replicas = answer.compactList(() => answer.int32()).length;
  // Those in sync, those offline.
  for (let list = 0; list < 2; list += 1) answer.compactList(() => answer.int32());
  answer.skipTags();
  return { errorCode, partition, leader, leaderEpoch, replicas };
}
