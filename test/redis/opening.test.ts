import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, entries } from '../../src/conformance/store-samples.ts';
import { readDurability } from '../../src/redis/durability.ts';
import { storeUse } from '../../src/redis/failures.ts';
import { redisStoreExists } from '../../src/stores/redis/redis-store.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { commitUntilDone } from '../support/persistent-commits.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { dumpKeys, rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();

test('several that make a store at the same time make one', async () => {
  const prefix = uniquePrefix();
  const stores = await Promise.all(Array.from({ length: 5 }, () => openAt(serverAt(redis.server.port), prefix)));
  expect(new Set(stores.map(({ identity }) => identity.id)).size).toBe(1);
  await Promise.all(stores.map((store) => store.close()));
});

test('stores under different prefixes, or in different databases, know nothing of each other', async () => {
  const [one, other] = [uniquePrefix(), uniquePrefix()];
  await using store = await openAt(serverAt(redis.server.port), one);
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 1)).build());
  await using beside = await openAt(serverAt(redis.server.port), other);
  await using below = await openAt(serverAt(redis.server.port), `${one}:worker`);
  await using elsewhere = await openAt({ host: '127.0.0.1', port: redis.server.port, database: 3 }, one);
  for (const empty of [beside, below, elsewhere]) {
    expect(await empty.listCursors({ limit: 10 })).toEqual([]);
    expect(empty.identity.id).not.toBe(store.identity.id);
  }
});

test('whether there is a store is told without making one', async () => {
  const prefix = uniquePrefix();
  const options = { connection: serverAt(redis.server.port), prefix };
  expect(await redisStoreExists(options)).toBe(false);
  expect(await dumpKeys(redis.client, prefix)).toEqual(new Map());
  await redis.client.sadd(`${prefix}:sessions`, 'one');
  expect(await redisStoreExists(options)).toBe(true);
  await (await openAt(serverAt(redis.server.port), prefix)).close();
  await redis.client.del(`${prefix}:sessions`);
  expect(await redisStoreExists(options)).toBe(true);
});

test.each<[string, string, (prefix: string) => Promise<unknown>]>([
  ['STORE_TOO_NEW', 'a later layout', (prefix) => identify(prefix, '{"kind":"redis","id":"x","layoutVersion":2}')],
  ['STORE_CORRUPT', 'no JSON for an identity', (prefix) => identify(prefix, 'hello')],
  ['STORE_CORRUPT', 'null for an identity', (prefix) => identify(prefix, 'null')],
  ['STORE_CORRUPT', 'an identity without an id', (prefix) => identify(prefix, '{"kind":"redis","layoutVersion":1}')],
  ['STORE_CORRUPT', 'another kind', (prefix) => identify(prefix, '{"kind":"level","id":"x","layoutVersion":1}')],
  ['STORE_CORRUPT', 'version 0', (prefix) => identify(prefix, '{"kind":"redis","id":"x","layoutVersion":0}')],
  ['STORE_CORRUPT', 'an identity that is a list', (prefix) => redis.client.rpush(`${prefix}:worker:identity`, 'x')],
  ['STORE_CORRUPT', 'cursors without an identity', (prefix) => redis.client.hset(`${prefix}:worker:cursors`, 'x', 'y')],
  [
    'STORE_CORRUPT',
    'positions without an identity',
    (prefix) => redis.client.hset(`${prefix}:worker:positions`, 'x', 'y'),
  ],
])('%s: %s is refused and left as it is', async (code, _, place) => {
  const prefix = uniquePrefix();
  await place(prefix);
  const before = await dumpKeys(redis.client, prefix);
  await expect(openAt(serverAt(redis.server.port), prefix)).rejects.toMatchObject({ code });
  expect(await dumpKeys(redis.client, prefix)).toEqual(before);
});

function identify(prefix: string, text: string): Promise<unknown> {
  return redis.client.set(`${prefix}:worker:identity`, text);
}

describe('who is not let in is told so, and no secret with it', () => {
  const secret = 'wrong-canary-7f3a';

  beforeAll(async () => {
    await redis.client.call('ACL', 'SETUSER', 'worker', 'on', '>right-canary', '~*', '+@all');
  });

  test.each([
    ['a wrong password', { username: 'worker', password: secret }],
    ['an unknown user', { username: 'nobody', password: secret }],
    ['a database that there is not', { database: 99 }],
  ])('%s', async (_, access) => {
    const failed = openAt({ host: '127.0.0.1', port: redis.server.port, database: 0, ...access }, uniquePrefix());
    const error = await failed.catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_CONFIGURATION' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary');
  });

  test('a connection that asks for TLS where there is none', async () => {
    const plain = openAt({ ...serverAt(redis.server.port), tls: {} }, uniquePrefix(), { answerTimeoutMs: 300 });
    await expect(plain).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID_CONFIGURATION|STORE_UNAVAILABLE/),
    });
  });

  test('a server in place of a cluster, an empty prefix', async () => {
    const nodes = openAt({ nodes: [{ host: '127.0.0.1', port: redis.server.port }] }, uniquePrefix());
    await expect(nodes).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await expect(openAt(serverAt(redis.server.port), '')).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    const braces = openAt({ nodes: [{ host: '127.0.0.1', port: redis.server.port }] }, 'a{b}');
    await expect(braces).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});

test('nobody listening is told at once, retryably', async () => {
  const port = await freePort();
  await expect(openAt(serverAt(port), 'x')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  await expect(openAt({ nodes: [{ host: '127.0.0.1', port }] }, 'x')).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
});

const document = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
/** What docs/redis.md tells operators to allow. */
const allowed = document.slice(document.indexOf('ACL SETUSER')).split('```')[0]?.match(/\+\S+/g) ?? [];
const neededToCommit = ['rpush', 'hset', 'hdel', 'sadd', 'srem', 'zadd', 'set', 'del', 'rename', 'pexpire', 'llen'];

async function userWith(name: string, ...rules: readonly string[]) {
  const password = 'let-me-in';
  await redis.client.call('ACL', 'SETUSER', name, 'reset', 'on', `>${password}`, '~acl-*', ...rules);
  return { ...serverAt(redis.server.port), username: name, password };
}

test('a user who may do no more than the documents say can do everything that a store does', async () => {
  const access = await userWith('least', ...allowed);
  await using store = await openAt(access, `acl-${uniquePrefix()}`);
  for (const plan of lifeOfTwoSessions()) {
    await store.commit(plan);
    await readContents(store);
  }
  expect(store.capabilities.durable).toBe(true);
});

test.each(neededToCommit)(
  'a user who may not %s is refused when the store is opened, not half way through a commit',
  async (command) => {
    const access = await userWith('lesser', ...allowed, `-${command}`);
    const failed = openAt(access, `acl-${uniquePrefix()}`);
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await expect(failed).rejects.toThrow(new RegExp(command, 'i'));
  },
);

describe('how durable a Redis is', () => {
  test.each([
    [{}, []],
    [{ appendonly: 'no' }, [/^appendonly is no/]],
    [{ appendfsync: 'everysec' }, [/^appendfsync is everysec/]],
    [{ 'no-appendfsync-on-rewrite': 'yes' }, [/^no-appendfsync-on-rewrite is yes/]],
    [{ maxmemory: '100mb' }, []],
    [{ maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }, [/^maxmemory-policy is allkeys-lru/]],
    [{ 'maxmemory-policy': 'allkeys-lru' }, []],
  ])('with %o is told, with reasons', async (settings, reasons) => {
    await using own = await startRedis(settings);
    const { weaknesses, servers } = await readDurability({
      address: serverAt(own.port),
      use: storeUse,
      answerTimeoutMs: 5_000,
    });
    expect(weaknesses).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
    expect(servers).toMatchObject([{ role: 'master', replicas: 0, version: expect.stringMatching(/^\d+\.\d+/) }]);
    await using store = await openAt(serverAt(own.port), uniquePrefix());
    expect(store.capabilities).toMatchObject({ durable: reasons.length === 0, shared: true, layout: 'upstream' });
    expect(store.durability.weaknesses).toEqual(weaknesses);
  });

  test('is not believed where it is not told', async () => {
    const access = await userWith('curious', ...allowed, '-config|get', '-info');
    await using store = await openAt(access, `acl-${uniquePrefix()}`);
    expect(store.capabilities.durable).toBe(false);
    expect(store.durability.weaknesses).toEqual(
      expect.arrayContaining([expect.stringMatching(/does not tell appendfsync: allow CONFIG GET/)]),
    );
  });
});

describe('a store is opened and read where Redis takes no writes at present, and commits wait for that to end', () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['STORE_UNAVAILABLE', 'a replica', {}],
    ['STORE_UNAVAILABLE', 'a master without the replicas that it wants', { 'min-replicas-to-write': '1' }],
    ['DISK_FULL', 'a Redis that has reached its maxmemory', { maxmemory: '1mb' }],
  ])('%s: %s', async (code, what, settings) => {
    await using own = await startRedis();
    const prefix = uniquePrefix();
    const builder = new PlanBuilder();
    await using before = await openAt(serverAt(own.port), prefix);
    await before.commit(builder.append(ada, ...entries(0, 2)).build());
    const raw = rawClient(own.port);
    if (what === 'a replica') await raw.replicaof('127.0.0.1', await freePort());
    for (const [name, value] of Object.entries(settings)) await raw.config('SET', name, value);
    await using store = await openAt(serverAt(own.port), prefix);
    await assertLog(store, ada, entries(0, 2));
    const plan = builder.append(ada, ...entries(2, 4)).build();
    await expect(store.commit(plan)).rejects.toMatchObject({ code, retryable: true });
    await raw.replicaof('NO', 'ONE');
    for (const name of Object.keys(settings)) await raw.config('SET', name, '0');
    await commitUntilDone(store, plan);
    await assertLog(store, ada, entries(0, 4));
    raw.disconnect();
  });
});

describe('a store that has to be durable acknowledges no commit that a power cut would lose', () => {
  test('to a Redis that was made weaker after it was opened', async () => {
    await using own = await startRedis();
    const prefix = uniquePrefix();
    await using store = await openAt(serverAt(own.port), prefix, { requiresDurable: true });
    await using careless = await openAt(serverAt(own.port), prefix);
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 2)).build());
    const raw = rawClient(own.port);
    await raw.config('SET', 'appendfsync', 'everysec');
    const plan = builder.append(ada, ...entries(2, 4)).build();
    await expect(store.commit(plan)).rejects.toMatchObject({
      code: 'STORE_NOT_DURABLE',
      retryable: false,
      message: expect.stringContaining('appendfsync is everysec'),
    });
    await careless.commit(builder.append(ada, ...entries(4, 5)).build());
    await raw.config('SET', 'appendfsync', 'always');
    raw.disconnect();
    await store.commit(builder.append(ada, ...entries(5, 6)).build());
    await assertLog(store, ada, entries(0, 6));
  });

  test('to a weaker server that took over under the same address', async () => {
    await using own = await startRedis();
    await using weak = await startRedis({ appendonly: 'no' });
    await using proxy = await startCuttingProxy(own.port);
    const prefix = uniquePrefix();
    await using store = await openAt(serverAt(proxy.port), prefix, { requiresDurable: true });
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 2)).build());
    const successor = rawClient(weak.port);
    await successor.replicaof('127.0.0.1', own.port);
    while (!(await successor.info('replication')).includes('master_link_status:up'));
    await successor.replicaof('NO', 'ONE');
    successor.disconnect();
    proxy.leadTo(weak.port);
    const plan = builder.append(ada, ...entries(2, 4)).build();
    await expect(commitUntilDone(store, plan)).rejects.toMatchObject({ code: 'STORE_NOT_DURABLE' });
  });
});
