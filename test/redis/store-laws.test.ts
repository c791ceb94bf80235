import { afterAll, beforeAll, describe, test } from 'vitest';
import { storeLaws } from '../../src/conformance/store-suite.ts';
import { checkReceipts } from '../support/receipt-laws.ts';
import { type OwnRedis, type OwnRedisCluster, startRedis, startRedisCluster } from '../support/redis.ts';
import {
  clusterAt,
  clusterCapabilities,
  redisHarness,
  serverAt,
  standaloneCapabilities,
} from '../support/redis-harness.ts';
import { assertLikeMemory } from '../support/store-model.ts';

describe('the redis store', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const harness = redisHarness(standaloneCapabilities, () => serverAt(redis.port));
  for (const law of storeLaws(harness)) test(law.name, law.check);
  test('receipts and anchors come through commands and reads: the first receipt stays, an anchor is replaced', () =>
    checkReceipts(harness));
  test('any plans, repeated, refused, and with the store opened anew between them, leave it with what memory holds', () =>
    assertLikeMemory(harness, 60));
});

describe('the redis store in a cluster', () => {
  let cluster: OwnRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const harness = redisHarness(clusterCapabilities, () => clusterAt(cluster.nodes.map(({ port }) => port)));
  for (const law of storeLaws(harness)) test(law.name, law.check);
  test('receipts and anchors come through commands and reads: the first receipt stays, an anchor is replaced', () =>
    checkReceipts(harness));
  test('any plans, repeated, refused, and with the store opened anew between them, leave it with what memory holds', () =>
    assertLikeMemory(harness, 15));
});
