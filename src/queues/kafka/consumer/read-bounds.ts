import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { protocolFailure } from '../connection/failures.ts';
import { type ListOffsetsPartition, listOffsetsRequest, type OffsetPlace } from '../protocol/list-offsets.ts';
import type { KafkaTopic, Leader, TopicBrokers } from './topic-brokers.ts';

/**
 * What the brokers hold of these partitions: from the first offset held to the last stable one, behind which nothing
 * is decided yet. Asks who leads them, then each leader twice at the same time. Rejects with what stands in the way,
 * retryable while leaders change. With `before`, in milliseconds since 1970, each partition ends before its first record at
 * or after that time.
 */
export async function readBounds(
  brokers: TopicBrokers,
  partitions: readonly number[],
  signal?: AbortSignal,
  before?: number,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  const byNode = await byLeader(brokers, partitions, signal);
  const answers = await Promise.all(
    [...byNode].map(([node, led]) => readBoundsFrom(brokers, node, led, signal, before)),
  );
  return complete(brokers, partitions, answers);
}

/** One offset of each of these partitions, as `readBounds` asks for them. */
export async function readOffsets(
  brokers: TopicBrokers,
  partitions: readonly number[],
  place: OffsetPlace,
): Promise<ReadonlyMap<number, number>> {
  const byNode = await byLeader(brokers, partitions);
  const answers = await Promise.all([...byNode].map(([node, led]) => readOffsetsFrom(brokers, node, led, place)));
  return complete(brokers, partitions, answers);
}

/** What a broker answers where there is no record at or after a time. */
const none = -1;

/** What one broker holds of the partitions that it leads. */
export async function readBoundsFrom(
  brokers: TopicBrokers,
  node: number,
  led: readonly ListOffsetsPartition[],
  signal?: AbortSignal,
  before?: number,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  if (led.length === 0) return new Map();
  const { topic } = brokers;
  const ask = (place: OffsetPlace) => readOffsetsFrom(brokers, node, led, place, signal);
  const asked = [ask('earliest'), ask('latest'), ...(before === undefined ? [] : [ask({ time: before })])];
  const [starts, ends, late] = await Promise.all(asked);
  return new Map(
    led.map(({ partition }) => {
      const start = starts?.get(partition) ?? unanswered(topic, partition);
      const last = ends?.get(partition) ?? unanswered(topic, partition);
      const firstLate = late?.get(partition) ?? none;
      const end = firstLate === none ? last : Math.min(firstLate, last);
      // Asked for separately: records may have gone in between.
      return [partition, { start, end: Math.max(start, end) }];
    }),
  );
}

async function readOffsetsFrom(
  brokers: TopicBrokers,
  node: number,
  led: readonly ListOffsetsPartition[],
  place: OffsetPlace,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const { name } = brokers.topic;
  const doing = `asking for the offsets of topic ${name}`;
  const answer = await brokers.send(node, doing, listOffsetsRequest(name, led, place), { signal });
  return new Map(
    answer.map(({ partition, errorCode, offset }) => {
      if (errorCode !== 0) throw protocolFailure(errorCode, `${doing}, partition ${partition}`, 'Describe');
      return [partition, offset];
    }),
  );
}

async function byLeader(
  brokers: TopicBrokers,
  partitions: readonly number[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, readonly ListOffsetsPartition[]>> {
  const leaders = await brokers.leaders(signal);
  const byNode = new Map<number, ListOffsetsPartition[]>();
  for (const partition of partitions) {
    const { node, epoch } = leaderOf(leaders, brokers.topic, partition);
    byNode.set(node, [...(byNode.get(node) ?? []), { partition, leaderEpoch: epoch }]);
  }
  return byNode;
}

function complete<Answer>(
  { topic }: TopicBrokers,
  partitions: readonly number[],
  answers: readonly ReadonlyMap<number, Answer>[],
): ReadonlyMap<number, Answer> {
  const all = new Map(answers.flatMap((answer) => [...answer]));
  return new Map(partitions.map((partition) => [partition, all.get(partition) ?? unanswered(topic, partition)]));
}

function leaderOf(leaders: ReadonlyMap<number, Leader>, topic: KafkaTopic, partition: number): Leader {
  const leader = leaders.get(partition);
  if (leader !== undefined && leader.node >= 0) return leader;
  throw new PersistenceError(
    'QUEUE_UNAVAILABLE',
    `nobody leads partition ${partition} of topic ${topic.name} at present`,
  );
}

function unanswered(topic: KafkaTopic, partition: number): never {
  throw new PersistenceError(
    'QUEUE_UNAVAILABLE',
    `no broker said which offsets partition ${partition} of ${topic.name} has`,
  );
}
