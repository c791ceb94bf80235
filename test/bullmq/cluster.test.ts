import { afterAll, beforeAll, describe, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { bullmqHarness } from '../support/bullmq.ts';
import { type OwnRedisCluster, startRedisCluster } from '../support/redis.ts';
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
