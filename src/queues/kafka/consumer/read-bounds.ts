import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { protocolFailure } from '../connection/failures.ts';
import { listOffsetsRequest, type OffsetPlace } from '../protocol/list-offsets.ts';
import type { KafkaTopic, Leader, TopicBrokers } from './topic-brokers.ts';

/**
 * What the brokers hold of these partitions: from the first offset held to the last stable one, behind which nothing
 * is decided yet. Asks who leads them, then each leader twice at the same time. Rejects with what stands in the way,
 * retryable while leaders change.
 */
export async function readBounds(
  brokers: TopicBrokers,
  partitions: readonly number[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  const { topic } = brokers;
  if (partitions.length === 0) return new Map();
  const leaders = await brokers.leaders(signal);
  const byNode = new Map<number, { readonly partition: number; readonly leaderEpoch: number }[]>();
  for (const partition of partitions) {
    const { node, epoch } = leaderOf(leaders, topic, partition);
    byNode.set(node, [...(byNode.get(node) ?? []), { partition, leaderEpoch: epoch }]);
  }
  const ask = async (place: OffsetPlace): Promise<ReadonlyMap<number, number>> => {
    const doing = `asking for the offsets of topic ${topic.name}`;
    const answers = await Promise.all(
      [...byNode].map(([node, asked]) =>
        brokers.send(node, doing, listOffsetsRequest(topic.name, asked, place), { signal }),
      ),
    );
    return new Map(
      answers.flat().map(({ partition, errorCode, offset }) => {
        if (errorCode !== 0) throw protocolFailure(errorCode, `${doing}, partition ${partition}`);
        return [partition, offset];
      }),
    );
  };
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')]);
  return new Map(
    partitions.map((partition) => {
      const start = starts.get(partition);
      const end = ends.get(partition);
      if (start === undefined || end === undefined) throw unanswered(topic, partition);
      // Asked for separately: records may have gone in between.
      return [partition, { start, end: Math.max(start, end) }];
    }),
  );
}

function leaderOf(leaders: ReadonlyMap<number, Leader>, topic: KafkaTopic, partition: number): Leader {
  const leader = leaders.get(partition);
  if (leader !== undefined && leader.node >= 0) return leader;
  throw new PersistenceError(
    'QUEUE_UNAVAILABLE',
    `nobody leads partition ${partition} of topic ${topic.name} at present`,
  );
}

function unanswered(topic: KafkaTopic, partition: number): PersistenceError {
  return new PersistenceError(
    'QUEUE_UNAVAILABLE',
    `no broker said which offsets partition ${partition} of ${topic.name} has`,
  );
}
