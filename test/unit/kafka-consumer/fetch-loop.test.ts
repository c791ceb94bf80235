import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { KafkaCluster } from '../../../src/queues/kafka/connection/cluster.ts';
import { FetchLoop, type FetchOutcome, type RoutedFeed } from '../../../src/queues/kafka/consumer/fetch-loop.ts';
import { PartitionFeed } from '../../../src/queues/kafka/consumer/partition-feed.ts';
import { TopicBrokers } from '../../../src/queues/kafka/consumer/topic-brokers.ts';
import type { FetchedPartition, FetchResponse } from '../../../src/queues/kafka/protocol/fetch.ts';
import { RepeatedHeaders } from '../../../src/queues/kafka/protocol/repeated-headers.ts';
import { placeIn } from '../../support/record-batches.ts';

const notLeader = 6;
const topic = { name: 'commands', id: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: 2 };

/** A loop whose every fetch waits until the test answers it, with an error code for each of the partitions. */
function heldLoop() {
  const asked: ((answer: FetchResponse) => void)[] = [];
  const cluster = {
    connect: async () => undefined,
    addTargetTopic: async () => undefined,
    findBroker: async () => undefined,
    close: async () => undefined,
    send: () => new Promise((resolve) => asked.push(resolve)),
  };
  const openCluster = () => cluster as unknown as KafkaCluster;
  const dropped: FetchOutcome[] = [];
  const loop = new FetchLoop({
    brokers: new TopicBrokers(topic, { openCluster, clock: systemClock, requestTimeout: 10_000 }),
    maxWait: 0,
    requestTimeout: 10_000,
    hasRoom: () => true,
    onAnswered: () => undefined,
    onDropped: (outcome) => dropped.push(outcome),
  });
  const answer = async (...errorCodes: readonly number[]): Promise<void> => {
    await expect.poll(() => asked.length).toBe(1);
    asked.shift()?.({ errorCode: 0, partitions: errorCodes.map(fetched) });
  };
  return { loop, dropped, answer };
}

function fetched(errorCode: number, partition: number): FetchedPartition {
  const offsets = { highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 };
  return { partition, errorCode, ...offsets, abortedTransactions: [], records: Buffer.alloc(0) };
}

function routed(partition: number): RoutedFeed {
  const feed = new PartitionFeed(placeIn(partition, topic.partitions), { next: 0 }, new RepeatedHeaders());
  return { feed, leader: { node: 1, epoch: 0 } };
}

test('a partition that went and came back is fetched, whatever the answer to an older fetch says of it', async () => {
  const { loop, dropped, answer } = heldLoop();
  const [gone, other, back] = [routed(0), routed(1), routed(0)];
  loop.add([gone, other]);
  await new Promise(setImmediate);
  loop.remove([0]);
  loop.add([back]);
  await answer(notLeader, 0);
  // It is still among those that are fetched: the leader's next refusal is told of it.
  await answer(notLeader, 0);
  await expect.poll(() => dropped.flatMap((outcome) => outcome.dropped)).toContain(back.feed);
  await loop.close();
});
