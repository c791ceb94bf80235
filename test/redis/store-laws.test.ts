import { afterAll, beforeAll, describe, test } from 'vitest';
import { storeLaws } from '../../src/conformance/store-suite.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { redisHarness, serverAt, standaloneCapabilities } from '../support/redis-harness.ts';

describe('the redis store', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const harness = redisHarness(standaloneCapabilities, () => serverAt(redis.port));
  for (const law of storeLaws(harness)) test(law.name, law.check);
});
