import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { PlanBuilder, someDeadLetter, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, bob, entries, source } from '../../src/conformance/store-samples.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { commitUntilDone, memoryAfter } from '../support/persistent-commits.ts';
import { type OwnRedis, startRedis, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();

test('commits whose answers are lost change nothing twice when they are made again', async () => {
  await using proxy = await startCuttingProxy(redis.server.port);
  await using store = await openAt(serverAt(proxy.port), uniquePrefix());
  const plans = lifeOfTwoSessions();
  let failures = 0;
  for (const plan of plans) {
    proxy.swallowAnswer();
    failures += await commitUntilDone(store, plan);
  }
  expect(failures).toBeGreaterThanOrEqual(plans.length);
  expect(await readContents(store)).toEqual(await memoryAfter(plans));
});

test.each([1, 2, 3])(
  'connections cut at any byte of a commit leave it whole or not made at all (seed %i)',
  async (seed) => {
    await using proxy = await startCuttingProxy(redis.server.port);
    await using store = await openAt(serverAt(proxy.port), uniquePrefix());
    const builder = new PlanBuilder();
    const plans = Array.from({ length: 60 }, (_, index) =>
      builder
        .append(index % 3 === 0 ? bob : ada, ...entries(index, index + (index % 5)))
        .unreadable(someDeadLetter(`${index}`, undefined))
        .position(source, 0, somePosition(index + 1))
        .build(),
    );
    for (const [index, plan] of plans.entries()) {
      cutSomewhere(proxy, seed, index);
      await commitUntilDone(store, plan);
    }
    expect(proxy.cuts).toBeGreaterThan(20);
    expect(await readContents(store)).toEqual(await memoryAfter(plans));
  },
);

function cutSomewhere(proxy: CuttingProxy, seed: number, index: number): void {
  const random = Math.imul(seed * 1000 + index, 0x9e3779b1) >>> 0;
  if (random % 3 === 0) proxy.swallowAnswer();
  else if (random % 3 === 1) proxy.cutAfter((random >>> 8) % 4_000);
}

test('a commit that another has made in the meantime is refused, even after a lost answer to something else', async () => {
  const prefix = uniquePrefix();
  await using proxy = await startCuttingProxy(redis.server.port);
  await using store = await openAt(serverAt(proxy.port), prefix);
  await using other = await openAt(serverAt(redis.server.port), prefix);
  const builder = new PlanBuilder();
  const [first, second] = [
    builder.append(ada, ...entries(0, 1)).build(),
    builder.append(ada, ...entries(1, 2)).build(),
  ];
  proxy.swallowAnswer();
  await commitUntilDone(store, first);
  await other.commit(second);
  await expect(store.commit(second)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
  await expect(store.commit(first)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
});

test('while Redis is away, everything fails retryably, and goes on by itself once it is back', async () => {
  await using own = await startRedis();
  await using store = await openAt(serverAt(own.port), uniquePrefix());
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  const plan = builder.append(ada, ...entries(2, 4)).build();
  await own.kill();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const attempts = [store.commit(plan), store.readCursors([ada]), store.openSession(ada), store.readTotals()];
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE', retryable: true } });
    }
  }
  await own.restart();
  await commitUntilDone(store, plan);
  await assertLog(store, ada, entries(0, 4));
});

test('a Redis that hangs is given up after the time it is given, and what it does later is found done', async () => {
  await using own = await startRedis();
  await using store = await openAt(serverAt(own.port), uniquePrefix(), { answerTimeoutMs: 200 });
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  const plan = builder.append(ada, ...entries(2, 4)).build();
  own.pause();
  await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(store.readCursors([ada])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  own.resume();
  await commitUntilDone(store, plan);
  await assertLog(store, ada, entries(0, 4));
});

test('a store can be closed while Redis is away', async () => {
  const own = await startRedis();
  const store = await openAt(serverAt(own.port), uniquePrefix());
  await own.kill();
  const failed = store.commit(new PlanBuilder().append(ada, ...entries(0, 2)).build()).catch((error) => error.code);
  await store.close();
  expect(['STORE_CLOSED', 'STORE_UNAVAILABLE']).toContain(await failed);
  await own[Symbol.asyncDispose]();
});

test('a store whose Redis hangs is closed once the commit under way is given up, which takes bounded time', async () => {
  await using own = await startRedis();
  const store = await openAt(serverAt(own.port), uniquePrefix(), { answerTimeoutMs: 200 });
  own.pause();
  const failed = store.commit(new PlanBuilder().append(ada, ...entries(0, 2)).build()).catch((error) => error.code);
  const start = systemClock.elapsed();
  await store.close();
  expect(systemClock.elapsed() - start).toBeLessThan(2_000);
  expect(['STORE_CLOSED', 'STORE_UNAVAILABLE']).toContain(await failed);
});

test('what waits for a Redis that is gone ends when the store is closed: a worker that was stopped stayed for a minute', async () => {
  const own = await startRedis();
  const store = await openAt(serverAt(own.port), uniquePrefix(), { answerTimeoutMs: 60_000 });
  await own[Symbol.asyncDispose]();
  while ((await outcome(store.readTotals(), 200)) !== 'waits');
  const waiting = store.readTotals();
  await store.close();
  expect(await outcome(waiting, 10_000)).toMatch(/STORE_CLOSED|STORE_UNAVAILABLE/);
});

/** The code of what it fails with, or that it is still waiting after so many milliseconds. */
function outcome(reading: Promise<unknown>, milliseconds: number): Promise<string> {
  const failed = reading.then(
    () => 'answered',
    (error: { readonly code: string }) => error.code,
  );
  return Promise.race([failed, systemClock.sleep(milliseconds).then(() => 'waits')]);
}

test('a master that became a replica takes nothing; once it is master again, the same plan is committed', async () => {
  await using own = await startRedis();
  await using other = await startRedis();
  const raw = rawClient(own.port);
  await using store = await openAt(serverAt(own.port), uniquePrefix());
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  const plan = builder.append(ada, ...entries(2, 4)).build();
  // A replica takes over what its master holds: so this one is given the same first.
  await replicate(raw, own, other);
  await raw.replicaof('127.0.0.1', other.port);
  await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  await raw.replicaof('NO', 'ONE');
  await commitUntilDone(store, plan);
  await assertLog(store, ada, entries(0, 4));
  raw.disconnect();
});

async function replicate(master: Redis, from: OwnRedis, to: OwnRedis): Promise<void> {
  const replica = rawClient(to.port);
  await replica.replicaof('127.0.0.1', from.port);
  await master.set('mark', '1');
  while ((await master.wait(1, 100)) < 1);
  await replica.replicaof('NO', 'ONE');
  replica.disconnect();
}

test('a script of somebody else that holds Redis up makes commits fail retryably', async () => {
  await using own = await startRedis({ 'busy-reply-threshold': '50' });
  const raw = rawClient(own.port);
  await using store = await openAt(serverAt(own.port), uniquePrefix());
  const plan = new PlanBuilder().append(ada, ...entries(0, 2)).build();
  const killer = rawClient(own.port);
  await killer.ping();
  const endless = raw.eval('while true do end', 0).catch((error: Error) => error.message);
  await systemClock.sleep(200);
  await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  await killer.script('KILL');
  await endless;
  await commitUntilDone(store, plan);
  for (const connection of [raw, killer]) connection.disconnect();
});
