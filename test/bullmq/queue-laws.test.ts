import { afterAll, beforeAll, describe, test } from 'vitest';
import { queueLaws } from '../../src/conformance/queue-suite.ts';
import { bullmqHarness } from '../support/bullmq.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

describe('the BullMQ queue', () => {
  for (const law of queueLaws(bullmqHarness(() => serverAt(redis.port)))) test(law.name, law.check);
});

describe('the BullMQ queue with an archive', () => {
  for (const law of queueLaws(bullmqHarness(() => serverAt(redis.port), true))) test(law.name, law.check);
});
