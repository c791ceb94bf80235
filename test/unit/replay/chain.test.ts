import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { MemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { StoreSource } from '../../../src/transfer/store-source.ts';
import { compareWithSource } from '../../../src/verify/compare-with-source.ts';
import { ChainedQueues } from '../../support/chained-queues.ts';
import { append, claim, create, skip } from '../../support/commands.ts';
import { digestOf, rebuilt, worked } from '../../support/rebuilding.ts';

const sessions = Array.from({ length: 12 }, (_, index) => `session-${index}`);
const second = '//test/two';

/** What the first, second and third queue hold: what waits in one is drained or fenced in the next, or its session halts. */
const parts: readonly ((session: string, index: number) => Parameters<MemoryQueue['publish']>[0])[] = [
  (session) => [create(1, { session }), append(2, 'two', { session }), append(5, 'five', { session })],
  (session, index) => [
    append(3, 'three', { session }),
    append(2, index % 2 === 0 ? 'two' : 'another two', { session }),
  ],
  (session, index) => [
    skip(4, 1, `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`, session),
    claim(2, second, session),
    append(6, 'six', { session, epoch: 2, writer: second }),
  ],
];

interface History {
  readonly queues: ChainedQueues;
  readonly all: readonly MemoryQueue[];
  readonly last: MemoryQueue;
  /** The live store as it was when the shards were changed, and as it is now. */
  readonly live: readonly Store[];
}

/** A worker has persisted each of three queues before the next one went on from it: at 1000, 1001 …, 2000 …, 3000 … */
async function history(): Promise<History> {
  let now = 0;
  const queues = new ChainedQueues({ ...systemClock, now: () => now });
  const all: MemoryQueue[] = [];
  const live: Store[] = [];
  for (const [index, part] of parts.entries()) {
    const queue = await queues.next([3, 5, 2][index] ?? 1);
    all.push(queue);
    for (const [at, session] of sessions.entries()) {
      now = 1_000 * (index + 1) + at;
      await queue.publish(part(session, at));
    }
    const store = createMemoryStore();
    for (const each of all) await worked(each, store);
    live.push(store);
  }
  const [last] = all.slice(-1);
  if (last === undefined) throw new TypeError('there are three');
  return { queues, all, last, live };
}

async function lastDigest({ live }: History): Promise<string> {
  return digestOf(live.at(-1) ?? createMemoryStore());
}

test('a replay of the last queue begins with the first one, and makes the store that workers have made', async () => {
  const made = await history();
  const target = createMemoryStore();
  const progress: number[] = [];
  const phases: [string, number | undefined][] = [];
  const { deliveries, tally } = await rebuilt(made.last, target, {
    onPhase: (phase, total) => void phases.push([phase, total]),
    onProgress: (done) => void (phases.length === 1 && progress.push(done)),
  });
  expect(await digestOf(target)).toBe(await lastDigest(made));
  expect(deliveries).toBe(12 * 8);
  expect(phases).toEqual([
    ['replaying', 12 * 8],
    ['digesting', 12],
  ]);
  expect(tally).toMatchObject({ applied: 48, duplicates: 6, parked: 18, drained: 6, claimed: 12, skipped: 6 });
  expect(tally.deadLetters).toMatchObject({ conflict: 6, fenced: 6 });
  expect(progress).toEqual(progress.toSorted((one, other) => one - other));
  expect(progress.at(-1)).toBe(12 * 8);
  expect(await target.readTotals()).toEqual(await made.live.at(-1)?.readTotals());
  // Once more, nothing is left to be done, and nothing earlier has to be there for that.
  const { opened } = made.queues;
  expect(await rebuilt(made.last, target)).toMatchObject({ deliveries: 0 });
  expect([made.queues.open, made.queues.opened]).toEqual([0, opened]);
  await worked(made.last, target);
});

test('broken off at any commit, it goes on in the queue where it stands, and ends the same', async () => {
  const made = await history();
  const expected = await lastDigest(made);
  const { commits } = await rebuilt(made.last, createMemoryStore());
  for (let at = 1; at <= commits; at += 1) {
    const target = createMemoryStore();
    let count = 0;
    const crashing = new Proxy(target, {
      get(store, property) {
        if (property !== 'commit') {
          const value: unknown = Reflect.get(store, property);
          return typeof value === 'function' ? value.bind(store) : value;
        }
        return async (plan: Parameters<Store['commit']>[0]) => {
          count += 1;
          if (count === at) throw new PersistenceError('STORE_IO_FAILED', 'crashed');
          await store.commit(plan);
        };
      },
    });
    await expect(rebuilt(made.last, crashing)).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
    await rebuilt(made.last, target);
    expect(await digestOf(target)).toBe(expected);
  }
  expect(made.queues.open).toBe(0);
});

test.each([0, 1, 2])('from a base that has consumed the queue %i, nothing before that is needed', async (index) => {
  const made = await history();
  for (const { source } of made.all.slice(0, index)) made.queues.gone.add(source);
  const base = new StoreSource(made.live[index] ?? createMemoryStore());
  const target = createMemoryStore();
  await rebuilt(made.last, target, { base });
  expect(await digestOf(target)).toBe(await lastDigest(made));
  expect(await rebuilt(made.last, target, { base })).toMatchObject({ deliveries: 0 });
});

test('a base that is no part of the history is refused', async () => {
  const made = await history();
  const other = createMemoryStore();
  await worked(await new ChainedQueues(systemClock).next(1), other);
  const target = createMemoryStore();
  const replay = rebuilt(made.last, target, { base: new StoreSource(other) });
  await expect(replay).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  expect(await target.readSources()).toEqual([]);
});

test('some sessions are built from all the queues, and are what they are in the whole store', async () => {
  const made = await history();
  const selection = { prefix: 'session-1' };
  const target = createMemoryStore();
  await rebuilt(made.last, target, { selection });
  const whole = createMemoryStore();
  await rebuilt(made.last, whole);
  const found = (await target.listCursors({ limit: 100 })).map(([session]) => session);
  expect(found.toSorted()).toEqual(['session-1', 'session-10', 'session-11']);
  const cursors = await target.readCursors(found);
  expect(cursors).toEqual(await whole.readCursors(found));
  await expect(worked(made.last, target)).rejects.toMatchObject({ code: 'STORE_PARTIAL' });
});

test('one that is gone is named, and nothing is written; without it, what is left is built where that is asked for', async () => {
  const made = await history();
  const [first, middle] = made.all;
  for (const gone of [first, middle]) {
    if (gone === undefined) throw new TypeError('there are three');
    made.queues.gone.clear();
    made.queues.gone.add(gone.source);
    const target = createMemoryStore();
    await expect(rebuilt(made.last, target)).rejects.toMatchObject({
      code: 'SOURCE_LOST_HISTORY',
      message: expect.stringContaining(gone.source),
    });
    expect(await target.readSources()).toEqual([]);
    const left = made.all.slice(made.all.indexOf(gone) + 1).map(({ source }) => source);
    await rebuilt(made.last, target, { acceptsNewQueue: true });
    expect((await target.readSources()).toSorted()).toEqual(left);
  }
  expect(made.queues.open).toBe(0);
});

test('one that lacks its end is refused before anything is written', async () => {
  const made = await history();
  const { continues } = made.last as { continues?: { from: Map<number, number> } };
  continues?.from.set(0, 1_000);
  const target = createMemoryStore();
  await expect(rebuilt(made.last, target)).rejects.toMatchObject({
    code: 'SOURCE_LOST_HISTORY',
    message: expect.stringContaining('memory:2'),
  });
  expect(await target.readSources()).toEqual([]);
  expect(made.queues.open).toBe(0);
});

test.each([
  [1_006, ['memory:1']],
  [2_000, ['memory:1']],
  [2_006, ['memory:1', 'memory:2']],
  [3_006, ['memory:1', 'memory:2', 'memory:3']],
])('until %i, it ends in the queue that was written to then, and goes on later', async (time, sources) => {
  const made = await history();
  const target = createMemoryStore();
  const { deliveries } = await rebuilt(made.last, target, { until: { time } });
  // Each of twelve sessions was written to, three, two and three commands at a time.
  const [whole, rest] = [Math.floor(time / 1_000) - 1, time % 1_000];
  const each = [3, 2, 3];
  const before = each.slice(0, whole).reduce((sum, count) => sum + 12 * count, 0);
  expect(deliveries).toBe(before + rest * (each[whole] ?? 0));
  expect((await target.readSources()).toSorted()).toEqual(sources);
  await rebuilt(made.last, target);
  expect(await digestOf(target)).toBe(await lastDigest(made));
});

test('a store is compared with all the queues together, as far as it has consumed them', async () => {
  const made = await history();
  const compare = (store: Store | undefined) =>
    compareWithSource({
      store: store ?? createMemoryStore(),
      source: made.last,
      target: createMemoryStore(),
      clock: systemClock,
      limits: { deliveries: 7, bytes: 1 << 20 },
      cachedSessions: 100,
      backoff: { initial: 1, maximum: 4 },
      signal: new AbortController().signal,
      onPhase: () => undefined,
      onProgress: () => undefined,
      onRetrying: () => undefined,
      onComparing: () => undefined,
      onDifference: async () => undefined,
    });
  expect(await compare(made.live[2])).toMatchObject({ differences: 0, unconsumed: 0 });
  // A worker has not begun with the last one.
  expect(await compare(made.live[1])).toMatchObject({ differences: 0, unconsumed: 36 });
  expect((await compare(made.live[0])).differences).toBeGreaterThan(0);
  made.queues.gone.add((made.all[0] as MemoryQueue).source);
  await expect(compare(made.live[2])).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
});
