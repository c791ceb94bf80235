import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { QueuedDelivery, ReplaySource } from '../../../src/ports/queue.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, create } from '../../support/commands.ts';
import { digestOf, eventfulQueue, rebuilt, sessionsOfStream, worked } from '../../support/rebuilding.ts';

async function liveStore(queue: Awaited<ReturnType<typeof eventfulQueue>>): Promise<Store> {
  const live = createMemoryStore();
  await worked(queue, live);
  return live;
}

/** The store with other methods in place of its own. */
function altered(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(property in methods ? methods : target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const crash = (): PersistenceError => new PersistenceError('STORE_IO_FAILED', 'crashed');

test('a replay makes the store that a worker has made: waiting commands, dead letters and decisions included', async () => {
  const queue = await eventfulQueue();
  const live = await liveStore(queue);
  const target = createMemoryStore();
  const { tally, deliveries, sessions } = await rebuilt(queue, target);
  expect(await digestOf(target)).toBe(await digestOf(live));
  expect(await target.readPositions(queue.source)).toEqual(await live.readPositions(queue.source));
  expect(await target.readTotals()).toEqual(await live.readTotals());
  expect(sessions).toBe(sessionsOfStream.length);
  expect(deliveries).toBe([...(await queue.bounds()).values()].reduce((sum, { end }) => sum + end, 0));
  expect(Math.min(tally.parked, tally.drained, tally.claimed, tally.skipped, tally.duplicates)).toBeGreaterThan(0);
  expect(Object.values(tally.deadLetters).filter((count) => count > 0).length).toBeGreaterThan(1);
});

test('replayed twice, or over the store of a worker, it commits nothing', async () => {
  const queue = await eventfulQueue();
  const live = await liveStore(queue);
  const before = await digestOf(live);
  const refusing = altered(live, { commit: () => Promise.reject(crash()) });
  for (let time = 0; time < 2; time += 1) expect(await rebuilt(queue, refusing)).toMatchObject({ deliveries: 0 });
  expect(await digestOf(live)).toBe(before);
});

test('broken off at any commit, before and after its effect, it goes on from there and ends the same', async () => {
  const queue = await eventfulQueue();
  const expected = await digestOf(await liveStore(queue));
  const { commits: all, deliveries } = await rebuilt(queue, createMemoryStore());
  expect(all).toBeGreaterThan(5);
  for (let at = 1; at <= all; at += 1) {
    for (const isWritten of [false, true]) {
      const target = createMemoryStore();
      let commits = 0;
      const crashing = altered(target, {
        commit: async (plan) => {
          commits += 1;
          if (commits < at || isWritten) await target.commit(plan);
          if (commits === at) throw crash();
        },
      });
      const read = new CountedSource(queue);
      await expect(rebuilt(read, crashing)).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
      await rebuilt(read, target);
      expect(await digestOf(target)).toBe(expected);
      // The one that was being committed, and the one that was taken meanwhile.
      expect(read.deliveries - deliveries).toBeLessThanOrEqual(2 * 7);
    }
  }
});

test('what is published meanwhile is no part of it; begun again, it is', async () => {
  const queue = await eventfulQueue();
  const expected = await digestOf(await liveStore(queue));
  const target = createMemoryStore();
  let sequence = 0;
  const onProgress = (): void => {
    sequence += 1;
    void queue.publish([
      sequence === 1 ? create(1, { session: 'late' }) : append(sequence, 'late', { session: 'late' }),
    ]);
  };
  const progressed: number[] = [];
  await rebuilt(queue, target, {
    onPhase: (phase) => void (phase === 'digesting' && progressed.push(sequence)),
    onProgress: () => (progressed.length === 0 ? onProgress() : undefined),
  });
  expect(sequence).toBeGreaterThan(5);
  expect(await digestOf(target)).toBe(expected);
  await rebuilt(queue, target);
  expect(await digestOf(target)).toBe(await digestOf(await liveStore(queue)));
});

test('interrupted, it finishes its commit and says that it can be begun again', async () => {
  const queue = await eventfulQueue();
  const target = createMemoryStore();
  const interruption = new AbortController();
  const { signal } = interruption;
  const half = rebuilt(queue, target, { signal, onProgress: (done) => done > 20 && interruption.abort() });
  await expect(half).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringContaining('goes on from here') });
  expect((await target.readPositions(queue.source)).size).toBeGreaterThan(0);
  await rebuilt(queue, target);
  expect(await digestOf(target)).toBe(await digestOf(await liveStore(queue)));
});

test('interrupted while it reads the store for the digest, it ends as well', async () => {
  const interruption = new AbortController();
  const { signal } = interruption;
  const onPhase = (phase: string): void => void (phase === 'digesting' && interruption.abort());
  const whole = rebuilt(await eventfulQueue(), createMemoryStore(), { signal, onPhase });
  await expect(whole).rejects.toMatchObject({ code: 'ABORTED' });
});

test('until a time, each partition ends before its first record at or after it, and goes on later', async () => {
  let now = 1_000;
  const queue = await eventfulQueue({ ...systemClock, now: () => now });
  const before = await digestOf(await liveStore(queue));
  now = 2_000;
  await queue.publish(sessionsOfStream.map((session) => append(50, 'fifty', { session })));
  // A clock that was put back: the partition has ended all the same.
  now = 500;
  await queue.publish(sessionsOfStream.map((session) => append(51, 'fifty-one', { session })));
  const target = createMemoryStore();
  await rebuilt(queue, target, { until: { time: 2_000 } });
  expect(await digestOf(target)).toBe(before);
  await rebuilt(queue, target, { until: { time: 2_001 } });
  expect(await digestOf(target)).toBe(await digestOf(await liveStore(queue)));
});

test('until offsets, the partitions named end there, and a store beyond is refused', async () => {
  const queue = await eventfulQueue();
  const target = createMemoryStore();
  const until = { offsets: new Map([[0, 5]]) };
  await rebuilt(queue, target, { until });
  const bounds = await queue.bounds();
  const next = new Map([...(await target.readPositions(queue.source))].map(([partition, at]) => [partition, at.next]));
  expect(next).toEqual(new Map([...bounds].map(([partition, { end }]) => [partition, partition === 0 ? 5 : end])));
  await rebuilt(queue, target);
  await expect(rebuilt(queue, target, { until })).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
  expect(await digestOf(target)).toBe(await digestOf(await liveStore(queue)));
});

test.each([
  [{ ids: new Set(['session-1', 'session-6', 'never heard of']) }, ['session-1', 'session-6']],
  [{ prefix: 'session-1' }, ['session-1', 'session-10', 'session-11']],
])('some sessions are built as they are in the whole store, and nothing else: %o', async (selection, selected) => {
  const queue = await eventfulQueue();
  const live = await liveStore(queue);
  const target = createMemoryStore();
  await rebuilt(queue, target, { selection });
  const found = (await target.listCursors({ limit: 100 })).map(([session]) => session);
  expect(found.toSorted()).toEqual(selected.toSorted());
  for (const session of found) {
    const page = { limit: 100 };
    expect(await target.readParkedHeaders(session)).toEqual(await live.readParkedHeaders(session));
    expect(await target.readFiled(session, page)).toEqual(await live.readFiled(session, page));
  }
  for (const session of [selected.at(-1), 'session-2'])
    await queue.publish([append(60, 'later', { session: session ?? '' })]);
  expect((await rebuilt(queue, target, { selection })).tally).toMatchObject({ parked: 1 });
  await expect(worked(queue, target)).rejects.toMatchObject({ code: 'STORE_PARTIAL' });
  await expect(rebuilt(queue, target)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
  const other = rebuilt(queue, target, { selection: { prefix: 'other' } });
  await expect(other).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
});

test('a store that something else has filled is refused, and left as it is', async () => {
  const queue = await eventfulQueue();
  const other = createMemoryQueue({ source: 'other:queue' as SourceId, clock: systemClock });
  await other.publish([create(1)]);
  const target = createMemoryStore();
  await worked(other, target);
  const before = await digestOf(target);
  await expect(rebuilt(queue, target)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
  expect(await digestOf(target)).toBe(before);
  expect(await target.readSources()).toEqual([other.source]);
});

test('where a worker works on the store, it gives up, and the store is what the worker makes of it', async () => {
  const queue = await eventfulQueue();
  const expected = await digestOf(await liveStore(queue));
  const shared = altered(createMemoryStore(), {});
  let commits = 0;
  const target = altered(shared, {
    capabilities: { ...shared.capabilities, shared: true },
    commit: async (plan) => {
      commits += 1;
      if (commits === 3) await worked(queue, shared);
      await shared.commit(plan);
    },
  });
  await expect(rebuilt(queue, target)).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
  expect(await digestOf(shared)).toBe(expected);
});

test('a source whose record before the position is another one is refused', async () => {
  const queue = await eventfulQueue();
  const target = createMemoryStore();
  await rebuilt(queue, target, { until: { offsets: new Map([[0, 4]]) } });
  const restored = createMemoryQueue({ source: queue.source, clock: systemClock, partitions: 3 });
  for (const session of sessionsOfStream) {
    await restored.publish([1, 2, 3, 4, 5, 6, 7].map((sequence) => append(sequence, 'other', { session })));
  }
  await expect(rebuilt(restored, target)).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
});

/** Counts what is read of a source. */
class CountedSource implements ReplaySource {
  readonly source: SourceId;
  readonly #read: ReplaySource;
  deliveries = 0;

  constructor(read: ReplaySource) {
    this.source = read.source;
    this.#read = read;
  }

  async *replay(options: Parameters<ReplaySource['replay']>[0]): AsyncGenerator<readonly QueuedDelivery[]> {
    for await (const batch of this.#read.replay(options)) {
      this.deliveries += batch.length;
      yield batch;
    }
  }

  bounds(): ReturnType<ReplaySource['bounds']> {
    return this.#read.bounds();
  }

  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
