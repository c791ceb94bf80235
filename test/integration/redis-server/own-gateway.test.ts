import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { openBullmqQueue } from '../../../src/queues/bullmq/open-bullmq-queue.ts';
import { readDurability } from '../../../src/redis/durability.ts';
import { storeUse } from '../../../src/redis/failures.ts';
import type { RedisServer } from '../../../src/redis-server/server.ts';
import { openRedisStore, redisStoreExists } from '../../../src/stores/redis/redis-store.ts';
import { KeyValuePeer } from './key-value-peer.ts';
import { openServer } from './open-server.ts';

const peer = new KeyValuePeer();
let server: RedisServer;
const password = 'a password';
const prefix = 'macp';
const newId = randomUUID;

beforeAll(async () => {
  server = await openServer({ peer, password });
});
afterAll(() => server.close());

function connection() {
  return { host: '127.0.0.1', port: server.address.port, database: 0, password };
}

test.each<[string, () => Promise<unknown>]>([
  ['a store that is opened', () => openRedisStore({ connection: connection(), prefix, newId })],
  ['a store that is looked for', () => redisStoreExists({ connection: connection(), prefix })],
  ['a Redis that is examined', () => readDurability({ address: connection(), use: storeUse, answerTimeoutMs: 10_000 })],
  [
    'a queue',
    () => openBullmqQueue({ connection: connection(), prefix, newId, clock: systemClock, onWeakness: () => undefined }),
  ],
])('a gateway of this project is refused for %s, and asked for nothing', async (_, open) => {
  await expect(open()).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringContaining('is a gateway of this project'),
  });
  expect(peer.begun).toEqual([]);
});
