import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../../src/domain/identifiers.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Waiting } from '../../../src/ports/service.ts';
import { SessionReader } from '../../../src/read-side/session-reader.ts';
import { StoreWatch } from '../../../src/read-side/store-watch.ts';
import { untilReached } from '../../../src/read-side/waiting.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { turns } from '../../support/turns.ts';

const session = 's' as SessionId;
const [one, other] = ['//test/one', '//test/other'] as [Writer, Writer];

function cursorOf(version: number, last: number, more: Partial<Cursor> = {}): Cursor {
  return { ...initialCursor, version, last: last as Sequence, epoch: 2 as Epoch, writer: one, ...more };
}

/** A wait for a session that is at `start` and then goes where it is moved, with time that passes when it is told. */
function startWaiting(start: Cursor, waiting: Omit<Waiting, 'timeout'>) {
  let cursor = start;
  let pass: () => void = () => undefined;
  let sleeping = 0;
  const clock: Clock = {
    ...systemClock,
    async sleep(_, signal) {
      sleeping += 1;
      try {
        const never = systemClock.sleep(60_000, signal);
        await Promise.race([never, new Promise<void>((resolve) => (pass = resolve))]);
      } finally {
        sleeping -= 1;
      }
    },
  };
  const store = createMemoryStore();
  const readCursors = async (): Promise<readonly Cursor[]> => [cursor];
  const areFiled = store.areFiled.bind(store);
  const readFiled = store.readFiled.bind(store);
  const watch = new StoreWatch({ store: { readCursors, areFiled, readFiled }, clock: systemClock, polls: false });
  const giving = new AbortController();
  const outcome = untilReached(session, { ...waiting, timeout: 1_000 }, { watch, clock }, giving.signal);
  // What the test expects of it comes later.
  outcome.catch(() => undefined);
  return {
    outcome,
    giving,
    timePasses: () => pass(),
    move(to: Cursor) {
      cursor = to;
      watch.noteCommitted([{ session, after: to }]);
    },
    /** Waits, timers and listeners that are left. */
    left: () => watch.waiters + sleeping + getEventListeners(giving.signal, 'abort').length,
  };
}

describe('a waiting read', () => {
  test('goes on once its number is applied, and leaves nothing behind', async () => {
    const wait = startWaiting(cursorOf(1, 1), { sequence: 3 as Sequence });
    await turns();
    wait.move(cursorOf(2, 2));
    await turns();
    expect(wait.left()).toBe(3);
    wait.move(cursorOf(3, 3));
    expect(await wait.outcome).toMatchObject({ last: 3 });
    await turns();
    expect(wait.left()).toBe(0);
  });

  test('that is given up while it looks for the first time leaves nothing behind', async () => {
    const wait = startWaiting(cursorOf(1, 1), { sequence: 3 as Sequence });
    wait.giving.abort();
    await expect(wait.outcome).rejects.toMatchObject({ code: 'ABORTED' });
    await turns();
    expect(wait.left()).toBe(0);
  });

  test('does not wait for what is there', async () => {
    const there = cursorOf(5, 3);
    for (const waiting of [
      {},
      { sequence: 3 as Sequence },
      { version: 4 },
      { claim: { epoch: 2 as Epoch, writer: one }, sequence: 1 as Sequence, version: 0 },
    ]) {
      const wait = startWaiting(there, waiting);
      expect(await wait.outcome).toBe(there);
      expect(wait.left()).toBe(0);
    }
  });

  test('goes on only when everything that it waits for holds', async () => {
    const claim = { epoch: 3 as Epoch, writer: other };
    const wait = startWaiting(cursorOf(1, 1), { sequence: 2 as Sequence, claim, version: 4 });
    let ended = false;
    wait.outcome.then(
      () => (ended = true),
      () => (ended = true),
    );
    for (const cursor of [
      cursorOf(2, 2),
      cursorOf(3, 2, { epoch: 3 as Epoch, writer: other }),
      cursorOf(4, 3, { epoch: 3 as Epoch, writer: other }),
    ]) {
      await turns();
      wait.move(cursor);
      await turns();
      expect(ended).toBe(false);
    }
    wait.move(cursorOf(5, 3, { epoch: 3 as Epoch, writer: other }));
    expect(await wait.outcome).toMatchObject({ version: 5 });
  });

  test('takes a claim of an earlier reign for applied', async () => {
    const earlier = [{ epoch: 1 as Epoch, writer: other, first: 1 as Sequence, last: 0 as Sequence }];
    const wait = startWaiting(cursorOf(5, 0, { earlier }), { claim: { epoch: 1 as Epoch, writer: other } });
    expect(await wait.outcome).toMatchObject({ version: 5 });
  });

  test('is fenced as soon as another claim of at least its epoch came first', async () => {
    for (const epoch of [2, 3]) {
      const wait = startWaiting(cursorOf(1, 0, { epoch: 1 as Epoch }), { claim: { epoch: 2 as Epoch, writer: other } });
      await turns();
      wait.move(cursorOf(2, 0, { epoch: epoch as Epoch }));
      await expect(wait.outcome).rejects.toMatchObject({
        code: 'WRITER_FENCED',
        message: expect.stringContaining(`//test/one reigns there with epoch ${epoch}`),
      });
      await turns();
      expect(wait.left()).toBe(0);
    }
  });

  test('tells, when its time has passed, where the session stands and what holds it up', async () => {
    const wait = startWaiting(cursorOf(1, 1), { sequence: 3 as Sequence, version: 9 });
    await turns();
    wait.move(cursorOf(2, 1, { refused: true }));
    await turns();
    wait.timePasses();
    await expect(wait.outcome).rejects.toMatchObject({
      code: 'NOT_YET_APPLIED',
      message:
        'session "s" did not come to number 3 and a version above 9 within 1000 ms: it stands at number 1 of epoch 2 ' +
        '(version 2) and is blocked: number 2 was refused and is open',
    });
    await turns();
    expect(wait.left()).toBe(0);
  });

  test('ends at once when it is given up', async () => {
    const wait = startWaiting(cursorOf(1, 1), { sequence: 3 as Sequence });
    await turns();
    wait.giving.abort();
    await expect(wait.outcome).rejects.toMatchObject({ code: 'ABORTED' });
    await turns();
    expect(wait.left()).toBe(0);
  });

  test('needs a reader that was given means to wait', async () => {
    await using store = createMemoryStore();
    const reader = new SessionReader(store);
    expect(await reader.cursor(session)).toBe(initialCursor);
    await expect(reader.cursor(session, { timeout: 1 })).rejects.toBeInstanceOf(TypeError);
  });
});
