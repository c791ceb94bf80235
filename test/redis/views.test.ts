import { expect, test } from 'vitest';
import { base64, readLog } from '../../src/conformance/store-contents.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, entries, oddBytes } from '../../src/conformance/store-samples.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { SessionView, Store } from '../../src/ports/store.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();

async function viewOf(store: Store): Promise<SessionView> {
  const view = await store.openSession(ada);
  if (view === undefined) throw new Error('the session must exist');
  return view;
}

test('a view goes on reading a log that was replaced, however often, and is told when that log is gone', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.server.port), prefix);
  const builder = new PlanBuilder();
  const views: { readonly view: SessionView; readonly log: Uint8Array[] }[] = [];
  for (const first of [0, 10, 20]) {
    const log = entries(first, first + 5);
    await store.commit(builder.replace(ada, ...log).build());
    views.push({ view: await viewOf(store), log });
  }
  await store.commit(builder.remove(ada).build());
  for (const { view, log } of views) expect((await readLog(view)).map(base64)).toEqual(log.map(base64));
  const replaced = await redis.client.keys(`${prefix}:worker:replaced-log:*`);
  expect(replaced.length).toBe(3);
  for (const key of replaced) {
    expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    expect(await redis.client.pttl(key)).toBeLessThanOrEqual(60_000);
  }
  await redis.client.del(...replaced);
  for (const { view } of views) {
    await expect(readLog(view)).rejects.toMatchObject({ code: 'VIEW_EXPIRED', retryable: true });
    await view.close();
  }
});

test('a view of the log takes none of the documents out of Redis', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 5)).build());
  await store.commit(builder.save(ada, Buffer.alloc(1_000_000, 'x')).build());
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
  const before = await sent();
  await using view = await store.openSession(ada, 'log');
  if (view === undefined) throw new Error('the session must exist');
  expect((await readLog(view)).map(base64)).toEqual(entries(0, 5).map(base64));
  expect((await sent()) - before).toBeLessThan(100_000);
  await expect(view.snapshot()).rejects.toThrow(TypeError);
});

test('a replaced log is gone after the time it is given', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.server.port), prefix, { viewLifetimeMs: 50 });
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 5)).build());
  await using view = await viewOf(store);
  await store.commit(builder.replace(ada, ...entries(5, 6)).build());
  while ((await redis.client.keys(`${prefix}:worker:replaced-log:*`)).length > 0) await systemClock.sleep(10);
  await expect(readLog(view)).rejects.toMatchObject({ code: 'VIEW_EXPIRED' });
});

test('a log that lacks entries ends with STORE_CORRUPT, never short', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.server.port), prefix);
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 50)).build());
  await redis.client.ltrim(`${prefix}:log:ada`, 0, 30);
  await using view = await viewOf(store);
  await expect(readLog(view)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  await redis.client.del(`${prefix}:log:ada`);
  await expect(readLog(view)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
});

test('pages hold about a quarter of a MiB, small entries and large ones in any order', async () => {
  await using store = await openAt(serverAt(redis.server.port), uniquePrefix());
  const sizes = Array.from({ length: 300 }, (_, index) => (index % 37 === 36 ? 400_000 : 50 + ((index * 997) % 9_000)));
  await store.commit(new PlanBuilder().append(ada, ...sizes.map(oddBytes)).build());
  await using view = await viewOf(store);
  const read: number[] = [];
  for await (const page of view.log()) {
    expect(page.reduce((sum, entry) => sum + entry.length, 0)).toBeLessThan(2.2 * 1024 * 1024);
    read.push(...page.map((entry) => entry.length));
  }
  expect(read).toEqual(sizes);
});
