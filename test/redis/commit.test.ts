import { expect, test } from 'vitest';
import {
  PlanBuilder,
  someDeadLetter,
  someDecision,
  someParked,
  somePosition,
} from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, bob, bytes, entries, oddBytes, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { encodeCommit } from '../../src/stores/redis/encode-commit.ts';
import { standaloneKeys } from '../../src/stores/redis/keys.ts';
import { splitPlan } from '../../src/stores/redis/split-plan.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { dumpKeys, rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const eve = 'eve' as SessionId;
const mebibyte = 1024 * 1024;

const redis = useOneRedis();

/** Something to start from, and a plan that writes to every kind of key there is. */
function plans(): readonly [Plan, Plan] {
  const builder = new PlanBuilder();
  const parked = someParked(4);
  const first = builder
    .append(ada, ...entries(0, 3))
    .save(ada, bytes('{}'))
    .receipt(ada, bytes('r'))
    .anchor(ada, bytes('a'))
    .park(ada, parked, someParked(5))
    .append(bob, ...entries(0, 2))
    .position(source, 0, somePosition(3));
  const before = first.build();
  const everything = builder
    .replace(ada, ...entries(10, 12))
    .save(ada, bytes('{"new":true}'))
    .receipt(ada, 'remove')
    .anchor(ada, bytes('b'))
    .unpark(ada, parked)
    .park(ada, someParked(9))
    .file(ada, someDeadLetter('one', ada), someDecision('two', ada))
    .remove(bob)
    .append(eve, oddBytes(70_000))
    .unreadable(someDeadLetter('three', undefined))
    .position(source, 0, somePosition(8))
    .position(source, 7, somePosition(1));
  return [before, everything.build()];
}

/** The keys that the script is told of. */
function keysOf(plan: Plan, prefix: string): readonly string[] {
  const keys = standaloneKeys(prefix);
  const { home } = splitPlan(plan, keys);
  return home === undefined ? [] : encodeCommit(home, { keys, identity: '{}', viewLifetimeMs: 1 }).keys;
}

test('a commit writes to no key that it did not check', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.server.port), prefix);
  const [first, everything] = plans();
  await store.commit(first);
  const before = await dumpKeys(redis.client, prefix);
  await store.commit(everything);
  const after = await dumpKeys(redis.client, prefix);
  const written = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  expect(written.length).toBeGreaterThan(15);
  expect(keysOf(everything, prefix)).toEqual(expect.arrayContaining(written));
});

test('a key of a wrong type, at each position, makes a commit fail and leaves every key as it was', async () => {
  const count = keysOf(plans()[1], 'some').length;
  for (let position = 0; position < count; position += 1) {
    const prefix = uniquePrefix();
    await using store = await openAt(serverAt(redis.server.port), prefix);
    const [first, everything] = plans();
    await store.commit(first);
    const key = keysOf(everything, prefix)[position] ?? '';
    await redis.client.del(key);
    await redis.client.xadd(key, '*', 'foreign', 'value');
    const before = await dumpKeys(redis.client, prefix);
    await expect(store.commit(everything), key).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await dumpKeys(redis.client, prefix), key).toEqual(before);
  }
});

test.each([
  ['a log that somebody else wrote to', (prefix: string) => redis.client.rpush(`${prefix}:log:ada`, 'foreign')],
  ['a log that somebody else removed', (prefix: string) => redis.client.del(`${prefix}:log:ada`)],
  ['a total that is no number', (prefix: string) => redis.client.hset(`${prefix}:worker:totals`, 'sessions', 'many')],
  [
    'a total that would fall below 0',
    (prefix: string) => redis.client.hset(`${prefix}:worker:totals`, 'sessions', '0'),
  ],
  ['a store that is gone', (prefix: string) => redis.client.del(`${prefix}:worker:identity`)],
  ['another store in its place', (prefix: string) => redis.client.set(`${prefix}:worker:identity`, '{"kind":"redis"}')],
])('%s makes a commit fail and leaves every key as it was', async (_, spoil) => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.server.port), prefix);
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 3)).build());
  await spoil(prefix);
  const before = await dumpKeys(redis.client, prefix);
  const plan = builder
    .append(ada, ...entries(3, 5))
    .remove(ada)
    .append(bob, ...entries(0, 1))
    .unreadable(someDeadLetter('one', undefined))
    .position(source, 0, somePosition(8));
  await expect(store.commit(plan.remove(bob).build())).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect(await dumpKeys(redis.client, prefix)).toEqual(before);
});

test('a store whose memory is full refuses commits whole, reads on, and takes the same plan when there is room', async () => {
  await using full = await startRedis();
  const raw = rawClient(full.port);
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(full.port), prefix);
  const [first, everything] = plans();
  await store.commit(first);
  await raw.config('SET', 'maxmemory', '1mb');
  const before = await dumpKeys(raw, prefix);
  for (const plan of [everything, new PlanBuilder().unreadable(someDeadLetter('four', undefined)).build()]) {
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    expect(await dumpKeys(raw, prefix)).toEqual(before);
  }
  await assertLog(store, ada, entries(0, 3));
  await raw.config('SET', 'maxmemory', '0');
  await store.commit(everything);
  await assertLog(store, ada, entries(10, 12));
  raw.disconnect();
});

test('scripts that Redis has forgotten are sent again', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const builder = new PlanBuilder();
  for (let index = 0; index < 5; index += 1) {
    await redis.client.script('FLUSH');
    await store.commit(builder.append(ada, ...entries(index, index + 1)).build());
    await redis.client.script('FLUSH');
    await assertLog(store, ada, entries(0, index + 1));
  }
});

test('a plan of 16,384 entries of as many sessions is committed in one step', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const ids = Array.from({ length: 16_384 }, (_, index) => `session-${index}` as SessionId);
  const builder = new PlanBuilder();
  for (const session of ids) builder.append(session, oddBytes(512));
  await store.commit(builder.position(source, 0, somePosition(16_384)).build());
  for (const session of ids) builder.replace(session, ...entries(0, 1));
  await store.commit(builder.position(source, 0, somePosition(32_768)).build());
  expect((await store.readTotals()).sessions).toBe(16_384);
  await assertLog(store, ids[16_383] ?? ada, entries(0, 1));
});

test('a log of 100,000 entries is put in place of another in one step, and 20,000 commands are parked and taken out', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  await store.commit(builder.replace(ada, ...entries(0, 100_000)).build());
  await assertLog(store, ada, entries(0, 100_000));
  const parked = Array.from({ length: 20_000 }, (_, index) => someParked(index + 2));
  await store.commit(builder.park(bob, ...parked).build());
  expect((await store.readParkedHeaders(bob)).length).toBe(20_000);
  await store.commit(builder.unpark(bob, ...parked).build());
  expect(await store.readParkedHeaders(bob)).toEqual([]);
});

test('the largest values there can be are committed and read back', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const large = Buffer.from(oddBytes(16 * mebibyte));
  const builder = new PlanBuilder().append(ada, ...entries(0, 40), large, ...entries(41, 43), large, large);
  await store.commit(builder.save(ada, large).park(ada, someParked(9, large)).build());
  await using view = await store.openSession(ada);
  const pages: number[] = [];
  for await (const page of view?.log() ?? []) pages.push(page.reduce((sum, entry) => sum + entry.length, 0));
  expect(Math.max(...pages)).toBeLessThan(large.length + mebibyte);
  expect(pages.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(3 * large.length);
  expect(Buffer.compare((await view?.snapshot()) ?? Buffer.alloc(0), large)).toBe(0);
  const [parked] = await store.readParked(ada, [someParked(9).sequence]);
  expect(Buffer.compare(parked?.message ?? Buffer.alloc(0), large)).toBe(0);
});
