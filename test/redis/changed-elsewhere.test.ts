import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { type ChangedStore, checkAdopted, checkRefused, runtimeEntry } from '../support/changed-elsewhere.ts';
import { type OwnRedis, startRedis, uniquePrefix } from '../support/redis.ts';
import { dumpKeys, rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const cleo = 'cleo' as SessionId;
let redis: OwnRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = rawClient(redis.port);
});
afterAll(async () => {
  client.disconnect();
  await redis[Symbol.asyncDispose]();
});

const changes: readonly (readonly [string, SessionId, (prefix: string) => Promise<unknown>, object])[] = [
  [
    'a log that is longer',
    ada,
    (prefix) => client.rpush(`${prefix}:log:ada`, runtimeEntry()),
    { entries: 4, presence: 'known' },
  ],
  [
    'a log that was compacted',
    ada,
    (prefix) =>
      client
        .multi()
        .del(`${prefix}:log:ada`)
        .rpush(`${prefix}:log:ada`, runtimeEntry('Checkpoint', { compacted_incoming_ordinals: 4 }))
        .exec(),
    { entries: 1, compactionBase: 4, presence: 'known' },
  ],
  [
    'a session that is new',
    cleo,
    (prefix) => client.multi().sadd(`${prefix}:sessions`, 'cleo').rpush(`${prefix}:log:cleo`, runtimeEntry()).exec(),
    { entries: 1, presence: 'known', version: 0, epoch: 0, last: 0 },
  ],
  [
    'a receipt',
    bob,
    (prefix) => client.set(`${prefix}:receipt:bob`, 'r', 'NX'),
    { entries: 1, hasReceipt: true, presence: 'known' },
  ],
  [
    'a session that was deleted',
    ada,
    (prefix) =>
      client.multi().del(`${prefix}:session:ada`, `${prefix}:log:ada`).srem(`${prefix}:sessions`, 'ada').exec(),
    { entries: 0, presence: 'deleted', parkedCommands: 1 },
  ],
];

function changedBy(write: (prefix: string) => Promise<unknown>): ChangedStore {
  const prefix = uniquePrefix();
  return {
    open: (options) => openAt(serverAt(redis.port), prefix, options),
    dump: () => dumpKeys(client, prefix),
    change: () => write(prefix),
  };
}

describe.each(changes)('%s', (_, session, write, expected) => {
  test('written by something else after us is refused by its name, and nothing is changed by that', () =>
    checkRefused(changedBy(write), session));

  test('is adopted where that is said: cursors keep their numbers and take the log as it is', () =>
    checkAdopted(changedBy(write), session, expected));
});

test('a store that others commit to while it is opened is not taken for one that was changed elsewhere', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.port), prefix);
  const builder = new PlanBuilder();
  let isDone = false;
  const committing = (async () => {
    for (let turn = 0; !isDone; turn += 1) {
      const session = `session-${turn % 700}` as SessionId;
      const plan = turn % 5 === 4 ? builder.remove(session) : builder.create(session).append(session, runtimeEntry());
      await store.commit(plan.build());
    }
  })();
  for (let attempt = 0; attempt < 30; attempt += 1) await (await openAt(serverAt(redis.port), prefix)).close();
  isDone = true;
  await committing;
});
