import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readContents, readLog } from '../../src/conformance/store-contents.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, entries } from '../../src/conformance/store-samples.ts';
import { initialCursor } from '../../src/domain/cursor.ts';
import { canonicalDump } from '../../src/domain/documents/canonical.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { decodeEvent, messageOfEvent } from '../../src/domain/wire/structured.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { dumpKeys } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';
import { rawDelivery, ScriptedQueue } from '../support/scripted-queue.ts';
import { upstreamKeys, writeAsUpstream } from '../support/upstream-redis.ts';
import { goldenFolders, goldenLines } from '../unit/wire/golden.ts';

const redis = useOneRedis();

function fixture(name: string): readonly string[] {
  return readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
}

async function persist(store: Store, lines: readonly Uint8Array[]): Promise<void> {
  const queue = new ScriptedQueue();
  queue.addDeliveries(lines.map((line) => rawDelivery(decodeEvent(line), messageOfEvent(line), queue.nextPosition())));
  const options = { limits: { deliveries: 97, bytes: 1e6 }, cachedSessions: 10, backoff: { initial: 1, maximum: 1 } };
  await using pipeline = new Pipeline({ queue, store, clock: systemClock, ...options });
  await pipeline.runUntilCaughtUp();
}

test.each(goldenFolders)(
  'the commands of %s leave under every key of upstream what upstream itself would write',
  async (folder) => {
    const [ours, theirs] = [uniquePrefix(), uniquePrefix()];
    const lines = goldenLines(folder);
    await using store = await openAt(serverAt(redis.server.port), ours);
    await persist(store, lines);
    for (const line of lines) await writeAsUpstream(redis.client, theirs, line);
    const expected = await upstreamKeys(redis.client, theirs);
    expect(Object.keys(expected).length).toBeGreaterThan(10);
    expect(await upstreamKeys(redis.client, ours)).toEqual(expected);
  },
);

describe('what macp-runtime 0.13.0 has written into Redis', () => {
  async function placed(): Promise<string> {
    const prefix = uniquePrefix();
    for (const line of fixture('edge/raw-redis-0.13.0.ndjson')) {
      const { key, type, value } = JSON.parse(line);
      const name = `${prefix}${key.slice('macp'.length)}`;
      if (type === 'string') await redis.client.set(name, value);
      else if (type === 'list') await redis.client.rpush(name, ...value);
      else await redis.client.sadd(name, ...value);
    }
    return prefix;
  }

  async function dump(store: Store): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const session of await store.listSessions({ limit: 1_000 })) {
      await using view = await store.openSession(session);
      if (view === undefined) continue;
      lines.push(canonicalDump({ session, snapshot: await view.snapshot(), log: await readLog(view) }));
    }
    return lines;
  }

  test('is adopted as it is', async () => {
    const prefix = await placed();
    const before = await upstreamKeys(redis.client, prefix);
    await using store = await openAt(serverAt(redis.server.port), prefix);
    expect(await dump(store)).toEqual(fixture('edge/expected-redis-0.13.0.ndjson'));
    expect(await upstreamKeys(redis.client, prefix)).toEqual(before);
    for (const [, cursor] of await store.listCursors({ limit: 1_000 })) {
      const { entries: count, compactionBase } = cursor;
      expect(cursor).toEqual({ ...initialCursor, presence: 'known', entries: count, compactionBase });
    }
    expect((await store.readTotals()).sessions).toBe(fixture('edge/expected-redis-0.13.0.ndjson').length);
  });

  test('is adopted once, and by one, however many open it at the same time and are interrupted', async () => {
    const prefix = await placed();
    for (const session of Array.from({ length: 400 }, (_, index) => `more-${index}`)) {
      await redis.client.sadd(`${prefix}:sessions`, session);
      await redis.client.rpush(`${prefix}:log:${session}`, '{}', '{}');
    }
    await using proxy = await startCuttingProxy(redis.server.port);
    for (const bytes of [3_000, 20_000, 60_000, 150_000]) {
      proxy.cutAfter(bytes);
      const interrupted = openAt(serverAt(proxy.port), prefix).then(
        (store) => store.close(),
        (error) => expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' }),
      );
      await interrupted;
    }
    expect(proxy.cuts).toBeGreaterThan(1);
    const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(serverAt(redis.server.port), prefix)));
    expect(new Set(stores.map(({ identity }) => identity.id)).size).toBe(1);
    const [contents, ...others] = await Promise.all(stores.map((store) => readContents(store)));
    for (const other of others) expect(other).toEqual(contents);
    expect(contents?.totals.sessions).toBe(await redis.client.scard(`${prefix}:sessions`));
    expect(contents?.sessions.length).toBe(contents?.totals.sessions);
    await Promise.all(stores.map((store) => store.close()));
  });
});

test('a session that is adopted goes on: its log is added to, a receipt stays, a Checkpoint tells what was compacted', async () => {
  const prefix = uniquePrefix();
  const checkpoint = JSON.stringify({
    message_id: '',
    received_at_ms: 1,
    sender: '_runtime',
    message_type: 'Checkpoint',
    raw_payload: [],
    entry_kind: 'Checkpoint',
    compacted_incoming_ordinals: 17,
  });
  await redis.client.sadd(`${prefix}:sessions`, 'ada');
  await redis.client.rpush(`${prefix}:log:ada`, checkpoint, 'no JSON at all');
  await redis.client.set(`${prefix}:receipt:ada`, 'r');
  await redis.client.set(`${prefix}:anchor:ada`, 'a', 'EX', 1000);
  await using store = await openAt(serverAt(redis.server.port), prefix);
  const [cursor] = await store.readCursors([ada]);
  expect(cursor).toEqual({
    ...initialCursor,
    presence: 'known',
    entries: 2,
    compactionBase: 17,
    hasReceipt: true,
    hasAnchor: true,
  });
  if (cursor === undefined) return;
  const after = { ...cursor, version: cursor.version + 1, entries: 4 };
  const [change] = new PlanBuilder().append(ada, ...entries(0, 2)).build().changes;
  if (change === undefined) return;
  const plan = { ...new PlanBuilder().build(), changes: [{ ...change, before: cursor, after }] };
  await store.commit(plan);
  expect(await redis.client.llen(`${prefix}:log:ada`)).toBe(4);
});

test.each<[string, (prefix: string) => Promise<unknown>]>([
  ['an id that is none', (prefix) => redis.client.sadd(`${prefix}:sessions`, 'a/b')],
  ['an id that is no text', (prefix) => redis.client.sadd(`${prefix}:sessions`, Buffer.from([0xff, 0xfe]))],
  [
    'a log of another type',
    (prefix) => redis.client.multi().sadd(`${prefix}:sessions`, 'x').set(`${prefix}:log:x`, '').exec(),
  ],
  ['a set of sessions of another type', (prefix) => redis.client.set(`${prefix}:sessions`, 'x')],
])('%s is not adopted: the store is refused, and nothing of upstream is touched', async (_, place) => {
  const prefix = uniquePrefix();
  await place(prefix);
  const before = await dumpKeys(redis.client, prefix);
  await expect(openAt(serverAt(redis.server.port), prefix)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect(Object.fromEntries(await dumpKeys(redis.client, prefix))).toMatchObject(Object.fromEntries(before));
});

test('a session of upstream without a log is adopted, keys without a session are left alone', async () => {
  const prefix = uniquePrefix();
  await redis.client.sadd(`${prefix}:sessions`, 'empty');
  await redis.client.rpush(`${prefix}:log:stray`, '{}');
  await using store = await openAt(serverAt(redis.server.port), prefix);
  expect(await store.listSessions({ limit: 10 })).toEqual(['empty']);
  expect(await store.openSession('stray' as SessionId)).toBeUndefined();
});
