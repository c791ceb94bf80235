import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { StoreWatch, type StoreWatchOptions } from '../../../src/read-side/store-watch.ts';
import { turns } from '../../support/turns.ts';

type WatchedStore = StoreWatchOptions['store'];

const one = 'one' as SessionId;
const other = 'other' as SessionId;

function cursorOf(version: number): Cursor {
  return { ...initialCursor, version };
}

/** Versions by session, read as a store reads cursors; `reads` tells which sessions each read asked for. */
class Versions implements WatchedStore {
  readonly reads: (readonly SessionId[])[] = [];
  readonly #versions = new Map<SessionId, number>();
  failures: Error[] = [];

  commit(session: SessionId): Cursor {
    const version = (this.#versions.get(session) ?? 0) + 1;
    this.#versions.set(session, version);
    return cursorOf(version);
  }

  async readCursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    this.reads.push(sessions);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return sessions.map((session) => {
      const version = this.#versions.get(session);
      return version === undefined ? undefined : cursorOf(version);
    });
  }

  areFiled(): never {
    throw new TypeError('nothing is filed here');
  }

  readFiled(): never {
    throw new TypeError('nothing is filed here');
  }
}

function watchOf(store: WatchedStore, polls = false, clock: Clock = systemClock): StoreWatch {
  return new StoreWatch({ store, clock, polls });
}

describe('a watch over a store', () => {
  test('loses no waiter, however reads, commits and notes fall', async () => {
    const session = fc.constantFrom(one, other);
    const wait = fc.record({ session, version: fc.integer({ min: -1, max: 6 }) });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(session), fc.array(wait), async (scheduler, commits, waits) => {
        const versions = new Versions();
        const turn = (label: string) => scheduler.schedule(Promise.resolve(), label);
        await using watch = watchOf({
          areFiled: versions.areFiled,
          readFiled: versions.readFiled,
          async readCursors(sessions) {
            await turn('read begins');
            const found = await versions.readCursors(sessions);
            await turn('read ends');
            return found;
          },
        });
        const found: (number | undefined)[] = waits.map(() => undefined);
        const commitAll = async (): Promise<void> => {
          for (const committed of commits) {
            await turn('commit');
            const after = versions.commit(committed);
            await turn('note');
            watch.noteCommitted([{ session: committed, after }]);
          }
        };
        const waitFor = async (index: number, wanted: SessionId, version: number): Promise<void> => {
          await turn('wait');
          watch.changed(wanted, version).then(
            (cursor) => {
              found[index] = cursor.version;
            },
            () => undefined,
          );
        };
        void commitAll();
        waits.forEach((wanted, index) => void waitFor(index, wanted.session, wanted.version));
        await scheduler.waitIdle();
        const lastOf = (wanted: SessionId): number => commits.filter((committed) => committed === wanted).length;
        waits.forEach(({ session: wanted, version }, index) => {
          if (lastOf(wanted) > version) expect(found[index]).toBeGreaterThan(version);
          else expect(found[index]).toBe(undefined);
        });
        expect(watch.waiters).toBe(found.filter((version) => version === undefined).length);
      }),
    );
  });

  test('that polls loses no waiter, although nobody notes a commit', async () => {
    const session = fc.constantFrom(one, other);
    const commitsOfAll = fc.array(session, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), commitsOfAll, async (scheduler, commits) => {
        const versions = new Versions();
        const turn = (label: string) => scheduler.schedule(Promise.resolve(), label);
        const sleep = async (_: number, signal?: AbortSignal): Promise<void> => {
          await turn('sleep');
          if (signal?.aborted) throw new PersistenceError('ABORTED', 'woken');
        };
        await using watch = watchOf(versions, true, { ...systemClock, sleep });
        const commitAll = async (): Promise<void> => {
          for (const committed of commits) {
            await turn('commit');
            versions.commit(committed);
          }
        };
        const waitForEach = commits.map(async (wanted, index) => {
          const earlier = commits.slice(0, index).filter((committed) => committed === wanted).length;
          await turn('wait');
          expect((await watch.changed(wanted, earlier)).version).toBeGreaterThan(earlier);
        });
        void commitAll();
        await scheduler.waitFor(Promise.all(waitForEach));
        expect(watch.waiters).toBe(0);
      }),
    );
  });

  test('loses no waiter that comes while the reading for an earlier one ends', async () => {
    const versions = new Versions();
    versions.commit(other);
    for (let steps = 0; steps < 20; steps += 1) {
      await using watch = watchOf(versions);
      await watch.changed(one, -1);
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      expect((await watch.changed(other, 0)).version).toBe(1);
    }
  });

  test('reads the sessions that are waited for together, and only once', async () => {
    const versions = new Versions();
    await using watch = watchOf(versions);
    const waits = [watch.changed(one, 0), watch.changed(one, 1), watch.changed(other, 0)];
    await turns();
    watch.noteCommitted([1, 2].map(() => ({ session: one, after: versions.commit(one) })));
    watch.noteCommitted([{ session: other, after: versions.commit(other) }]);
    expect((await Promise.all(waits)).map(({ version }) => version)).toEqual([1, 2, 1]);
    expect(versions.reads).toEqual([[one, other]]);
  });

  test('lets go of a wait that is given up, and polls no more when none is left', async () => {
    const versions = new Versions();
    let sleeping = 0;
    const sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
      sleeping += 1;
      await systemClock.sleep(milliseconds, signal).finally(() => {
        sleeping -= 1;
      });
    };
    await using watch = watchOf(versions, true, { ...systemClock, sleep });
    const giving = new AbortController();
    const waits = [one, one, other].map((session) => watch.changed(session, 0, giving.signal));
    while (sleeping === 0) await turns();
    giving.abort();
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'ABORTED' });
    expect(watch.waiters).toBe(0);
    await turns();
    expect(sleeping).toBe(0);
    const { length } = versions.reads;
    await turns();
    expect(versions.reads.length).toBe(length);
    await expect(watch.changed(one, 0, giving.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('waits for a store that is down, and passes on what no retry mends', async () => {
    const versions = new Versions();
    await using watch = watchOf(versions);
    versions.failures = [1, 2].map(() => new PersistenceError('STORE_UNAVAILABLE', 'down'));
    versions.commit(one);
    expect((await watch.changed(one, 0)).version).toBe(1);
    versions.failures = [new PersistenceError('STORE_CORRUPT', 'damaged')];
    await expect(watch.changed(other, 0)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(watch.waiters).toBe(0);
  });

  test('that is closed rejects every wait, those under way and those to come', async () => {
    const watch = watchOf(new Versions(), true);
    const waits = [watch.changed(one, 0), watch.changed(other, 3)];
    const rejected = waits.map((wait) => expect(wait).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' }));
    await watch.close();
    await Promise.all(rejected);
    expect(watch.waiters).toBe(0);
    await expect(watch.changed(one, 0)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await watch.close();
  });

  test('tells of a session that the store has never heard of that it stands at the beginning', async () => {
    const versions = new Versions();
    versions.commit(other);
    await using watch = watchOf(versions);
    expect(await watch.cursors([one, other])).toEqual([initialCursor, cursorOf(1)]);
    expect(await watch.changed(one, -1)).toEqual(initialCursor);
  });
});
