import { describe, test } from 'vitest';
import { type CorruptionHarness, corruptionLaws } from '../support/corruption-laws.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';

const redis = useOneRedis();
const url = (prefix: string): string => `redis://127.0.0.1:${redis.server.port}/0?prefix=${prefix}`;

const harness: CorruptionHarness = {
  async create() {
    const [intact, corrupted] = [uniquePrefix(), uniquePrefix()];
    const log = (session: string): string => `${corrupted}:log:${session}`;
    return {
      intact: url(intact),
      corrupted: {
        url: url(corrupted),
        async setEntry(session, ordinal, entry) {
          await redis.client.lset(log(session), ordinal, Buffer.from(entry));
        },
        async removeEntry(session, ordinal) {
          await redis.client.lset(log(session), ordinal, 'gone');
          await redis.client.lrem(log(session), 1, 'gone');
        },
        async addSession(session, entry) {
          await redis.client.sadd(`${corrupted}:sessions`, session);
          await redis.client.rpush(log(session), Buffer.from(entry));
        },
      },
      // They go with the server.
      dispose: async () => undefined,
    };
  },
};

describe('what is wrong in a redis store', () => {
  for (const { name, check } of corruptionLaws) test(name, () => check(harness));
});
