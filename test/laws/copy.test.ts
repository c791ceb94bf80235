import { describe, expect, test } from 'vitest';
import { PlanBuilder, someDeadLetter, someParked, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { Store } from '../../src/ports/store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { comparableContents, copy, failingAt, fullStore } from '../support/transfer-laws.ts';
import { WorkedQueue } from '../support/worked-queue.ts';

/** A store that `plan` is committed to just before its read number `at`: somebody works on it meanwhile. */
function movingAt(store: Store, at: number, plan: Plan): Store {
  let reads = 0;
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...words: unknown[]) => {
        reads += 1;
        if (reads - 1 === at) await store.commit(plan);
        return value.apply(target, words);
      };
    },
  });
}

async function filled(...plans: readonly Plan[]): Promise<Store> {
  const store = createMemoryStore('source');
  for (const plan of plans) await store.commit(plan);
  return store;
}

describe('a target is refused, and nothing is written to it', () => {
  test.each<[string, (builder: PlanBuilder) => PlanBuilder]>([
    ['that holds a session', (builder) => builder.append(ada, ...entries(0, 1))],
    ['that holds a tombstone', (builder) => builder.create(ada).remove(ada)],
    ['that holds a dead letter', (builder) => builder.unreadable(someDeadLetter('x', undefined))],
    ['that was filled from a queue', (builder) => builder.position(source, 0, somePosition(1))],
  ])('%s', async (_, fill) => {
    const target = await filled(fill(new PlanBuilder()).build());
    const before = await comparableContents(target);
    await expect(copy(await fullStore(), target)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    expect(await comparableContents(target)).toEqual(before);
    expect((await target.readSources()).some((name) => name.startsWith('copy:'))).toBe(false);
  });

  test('that another copy was begun into', async () => {
    const target = createMemoryStore();
    await expect(copy(await fullStore('one'), failingAt(target, 2, 'after'))).rejects.toThrow();
    await expect(copy(await fullStore('two'), target)).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
      message: expect.stringContaining('copy of memory:one'),
    });
  });
});

describe('a store that is half a copy', () => {
  test('is refused by a worker until the copy is complete', async () => {
    await using queue = new WorkedQueue();
    await expect(copy(await fullStore(), failingAt(queue.store, 3, 'after'))).rejects.toThrow();
    await expect(queue.tryToWork()).rejects.toMatchObject({ code: 'COPY_INCOMPLETE' });
    await copy(await fullStore(), queue.store);
    await queue.tryToWork();
  });

  test('shows no session of which a part is missing', async () => {
    const full = await fullStore();
    const whole = await comparableContents(full);
    for (let commit = 1; ; commit += 1) {
      const target = createMemoryStore();
      const failed = await copy(full, failingAt(target, commit, 'after')).then(
        () => false,
        () => true,
      );
      if (!failed) break;
      const { views } = await comparableContents(target);
      for (const [session, view] of Object.entries(views)) expect(view).toEqual(whole.views[session]);
    }
  });
});

describe('begun again after it was complete', () => {
  test('it only compares', async () => {
    const [full, target] = [await fullStore(), createMemoryStore()];
    const first = await copy(full, target);
    const before = await target.readPositions((await target.readSources())[0] ?? source);
    expect(await copy(full, target)).toEqual({ ...first, passedOver: first.sessions, entries: 0, bytes: 0 });
    expect(await target.readPositions((await target.readSources())[0] ?? source)).toEqual(before);
  });

  test('it says what differs, and repairs nothing: somebody may have gone on from the copy', async () => {
    const builder = new PlanBuilder().append(ada, ...entries(0, 2));
    const [from, target] = [await filled(builder.build()), createMemoryStore()];
    await copy(from, target);
    await from.commit(builder.append(ada, ...entries(2, 3)).build());
    await expect(copy(from, target)).rejects.toMatchObject({
      code: 'COPY_DIFFERS',
      message: expect.stringContaining('"ada"'),
    });
  });
});

test('what a resumed copy finds changed under the same cursor is found when both sides are compared, and copied again', async () => {
  const withText = (text: string) => new PlanBuilder().append(ada, bytes(text)).append(bob, bytes('"b"')).build();
  const target = createMemoryStore();
  // Upstream's sessions all have the same cursor: it says nothing of what is in them.
  await expect(copy(await filled(withText('"before"')), failingAt(target, 1, 'after'))).rejects.toThrow();
  const after = await filled(withText('"after"'));
  expect(await copy(after, target)).toMatchObject({ passedOver: 2 });
  expect(await comparableContents(target)).toEqual(await comparableContents(after));
});

test('a session that only the target has is told of, never left there without a word', async () => {
  const target = createMemoryStore();
  const both = new PlanBuilder().create(ada).create(bob).build();
  await expect(copy(await filled(both), failingAt(target, 1, 'after'))).rejects.toThrow();
  await expect(copy(await filled(new PlanBuilder().create(bob).build()), target)).rejects.toMatchObject({
    code: 'COPY_DIFFERS',
    message: expect.stringContaining('"ada"'),
  });
});

test('of a source that somebody works on, each session is copied as of one moment, with positions that are not ahead of it', async () => {
  for (let at = 0; ; at += 1) {
    const builder = new PlanBuilder();
    const parked = [someParked(4), someParked(5)];
    const first = builder
      .append(ada, ...entries(0, 3))
      .park(ada, ...parked)
      .file(ada, someDeadLetter('a', ada))
      .append(bob, ...entries(0, 2))
      .position(source, 0, somePosition(3))
      .build();
    const later = builder
      .unpark(ada, ...parked)
      .replace(ada, ...entries(5, 9))
      .file(ada, someDeadLetter('b', ada))
      .append(bob, ...entries(2, 4))
      .append('zoe' as SessionId, ...entries(0, 1))
      .unreadable(someDeadLetter('c', undefined))
      .position(source, 0, somePosition(9))
      .build();
    const from = await filled(first);
    const target = createMemoryStore();
    const report = await copy(movingAt(from, at, later), target);
    const [copied, expected] = [await comparableContents(target), await comparableContents(from)];
    const [next] = (copied.positions[source] ?? [])[0]?.slice(1) ?? [];
    expect(report.sessions).toBe(copied.cursors.length);
    const caughtUp = typeof next === 'object' && next.next === 9;
    if (caughtUp) expect(copied).toEqual(expected);
    const wasReached = (await from.readPositions(source)).get(0)?.next === 9;
    if (!wasReached) return expect(at).toBeGreaterThan(20);
    // Whatever moment each of them is of, it is a whole one.
    const logs = Object.fromEntries(Object.entries(copied.views).map(([name, { log }]) => [name, log.length]));
    expect([3, 4]).toContain(logs['ada']);
    expect(copied.parked['ada']?.length).toBe(logs['ada'] === 3 ? 2 : 0);
    expect([2, 4]).toContain(logs['bob']);
  }
});
