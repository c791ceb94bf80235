import { type BodyReader, readBody } from '../protocol/body-reader.ts';
import { BodyWriter } from '../protocol/body-writer.ts';
import type { TopicId } from '../protocol/fetch.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';

/** Which partition a broker answered for, and how. */
export interface ProducedBatch {
  readonly partition: number;
  /** 0, or why the batch is not known to be written. */
  readonly errorCode: number;
  /** Offset of the first record of the batch, -1 where it is not known. */
  readonly baseOffset: number;
}

export interface ProduceOptions {
  readonly topic: { readonly name: string; readonly id: TopicId };
  /** There for a batch that belongs to a transaction. */
  readonly transactionalId: string | undefined;
  /** Most milliseconds that the broker waits for the replicas. */
  readonly timeout: number;
  /** One record batch a partition. */
  readonly batches: ReadonlyMap<number, Buffer>;
  /** The newest version of this request that the broker speaks. */
  readonly newestVersion: number;
}

export const produceKey = 0;
/** The first version that names topics by their ids (KIP-516): nothing is written to a topic that was made anew. */
const versionWithIds = 13;
/** The last version that leaves it to the producer to add partitions to a transaction (KIP-890). */
const newestWithNames = 11;
const allReplicas = -1;

/** Produce v13, or up to v11, acknowledged by all replicas in sync. */
export function produceRequest(options: ProduceOptions): ProtocolRequest<readonly ProducedBatch[]> {
  const { topic, transactionalId, timeout, batches, newestVersion } = options;
  const byId = transactionalId === undefined && newestVersion >= versionWithIds;
  const body = new BodyWriter().noTags().compactText(transactionalId).int16(allReplicas).int32(timeout);
  body.compactLength(1);
  if (byId) body.raw(Buffer.from(topic.id, 'base64url'));
  else body.compactText(topic.name);
  body.compactLength(batches.size);
  for (const [partition, batch] of batches) body.int32(partition).compactBytes(batch).noTags();
  return {
    apiKey: produceKey,
    apiName: 'Produce',
    apiVersion: byId ? versionWithIds : Math.min(newestWithNames, newestVersion),
    body: body.noTags().noTags().finish(),
    timeout,
    read: (payload) => readBody('Produce', payload, (answer) => readAnswer(answer, byId)),
  };
}

function readAnswer(answer: BodyReader, byId: boolean): readonly ProducedBatch[] {
  answer.skipTags();
  const topics = answer.compactList(() => {
    if (byId) answer.take(16);
    else answer.compactText();
    const partitions = answer.compactList(() => readPartition(answer));
    answer.skipTags();
    return partitions;
  });
  return topics.flat();
}

function readPartition(answer: BodyReader): ProducedBatch {
  const partition = answer.int32();
  const errorCode = answer.int16();
  const baseOffset = Number(answer.int64());
  // When it was written, and where the log starts.
  answer.take(16);
  answer.compactList(() => {
    answer.int32();
    answer.compactText();
    answer.skipTags();
  });
  answer.compactText();
  answer.skipTags();
  return { partition, errorCode, baseOffset };
}
