import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { bullmqHarness, openBullmqAt } from '../support/bullmq.ts';
import { type OwnRedisCluster, startRedisCluster, uniquePrefix } from '../support/redis.ts';
import { clusterAt } from '../support/redis-harness.ts';

let cluster: OwnRedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

describe('the BullMQ queue in a Redis Cluster', () => {
  const address = () => clusterAt(cluster.nodes.map(({ port }) => port));
  for (const law of queueLaws(bullmqHarness(address))) test(law.name, law.check);
});

test.each([
  [0, []],
  [1, ['a replica that takes over may lack what was acknowledged last: replication is asynchronous']],
])(
  'whoever opens the queue in a cluster of %i replicas a master is told what a failover may lose',
  async (replicas, expected) => {
    await using own = await startRedisCluster({ replicas });
    const weaknesses: string[] = [];
    const address = clusterAt(own.nodes.slice(0, 3).map(({ port }) => port));
    await using queue = await openBullmqAt(address, uniquePrefix(), {
      onWeakness: (weakness) => weaknesses.push(weakness),
    });
    expect(weaknesses).toEqual(expected);
    expect(queue.capabilities.durable).toBe(expected.length === 0);
  },
);
