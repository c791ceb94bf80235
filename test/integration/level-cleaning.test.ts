import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { base64, readLog } from '../../src/conformance/store-contents.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, bob, entries } from '../../src/conformance/store-samples.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { type LevelStore, openLevelStore } from '../../src/stores/level/level-store.ts';
import { Faults } from '../support/faulty-level.ts';

const stepEntries = 1_000;

let parent: string;
let faults: Faults;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'level-cleaning-'));
  faults = new Faults();
});

afterEach(() => rm(parent, { recursive: true }));

function open(name: string, clock: Clock = systemClock): Promise<LevelStore> {
  const { files, openDatabase } = faults;
  return openLevelStore({ directory: join(parent, name), files, clock, newId: randomUUID, openDatabase });
}

/** A clock under which the cleaner rests for ever after its first `steps` steps. */
function tiring(steps: number): { readonly clock: Clock; readonly tired: Promise<void> } {
  let left = steps;
  let tire: () => void;
  const tired = new Promise<void>((resolve) => {
    tire = resolve;
  });
  const sleep: Clock['sleep'] = (_, signal) => {
    left -= 1;
    if (left > 0) return Promise.resolve();
    tire();
    return systemClock.sleep(2 ** 30, signal);
  };
  return { clock: { ...systemClock, sleep }, tired };
}

/** Keys by their kind, the first byte. */
async function keyCounts(name: string): Promise<Record<string, number>> {
  const database = new ClassicLevel<Buffer, Buffer>(join(parent, name), { keyEncoding: 'buffer' });
  const counts: Record<string, number> = {};
  for await (const key of database.keys()) {
    const kind = key.toString('latin1', 0, 1);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  await database.close();
  return counts;
}

test('replaced and deleted logs are removed afterwards, and nothing else is', async () => {
  const store = await open('store');
  const builder = new PlanBuilder();
  await store.commit(
    builder
      .append(ada, ...entries(0, 30))
      .append(bob, ...entries(0, 20))
      .build(),
  );
  await store.commit(builder.replace(ada, ...entries(50, 53)).build());
  await store.commit(builder.remove(bob).build());
  await store.commit(
    builder
      .append(bob, ...entries(70, 72))
      .replace(ada, ...entries(80, 81))
      .build(),
  );
  await store.idle();
  await assertLog(store, ada, entries(80, 81));
  await assertLog(store, bob, entries(70, 72));
  await store.close();
  expect(await keyCounts('store')).toEqual({ '!': 1, t: 1, c: 2, e: 3 });
});

test('replacing a log of any length writes its new entries, one cursor and one marker, and removes in bounded steps', async () => {
  const store = await open('store');
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 3_500)).build());
  await store.commit(builder.replace(ada, ...entries(9_000, 9_001)).build());
  await store.idle();
  expect(faults.steps).toEqual([stepEntries, stepEntries, stepEntries, stepEntries]);
  await store.close();
  expect(await keyCounts('store')).toEqual({ '!': 1, t: 1, c: 1, e: 1 });
});

test('readers do not notice: a view from before the replacement shows the whole old log after it was removed', async () => {
  const store = await open('store');
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 3_500)).build());
  const view = await store.openSession(ada);
  await store.commit(builder.replace(ada, ...entries(9_000, 9_001)).build());
  await store.idle();
  expect(view && (await readLog(view)).map(base64)).toEqual(entries(0, 3_500).map(base64));
  await view?.close();
  await store.close();
});

test.each([1, 2, 3])(
  'cleaning stopped after step %i, by a crash or a close, is finished at the next opening',
  async (steps) => {
    const { clock, tired } = tiring(steps);
    const store = await open('store', clock);
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 3_500)).build());
    await store.commit(builder.replace(ada, ...entries(9_000, 9_002)).build());
    await tired;
    // What a killed process leaves is what it had written by then.
    await cp(join(parent, 'store'), join(parent, 'crashed'), { recursive: true });
    await store.commit(builder.append(ada, ...entries(9_002, 9_003)).build());
    await store.close();
    expect((await keyCounts('store'))['g']).toBe(1);
    for (const [name, last] of [
      ['store', 9_003],
      ['crashed', 9_002],
    ] as const) {
      const reopened = await open(name);
      await assertLog(reopened, ada, entries(9_000, last));
      await reopened.idle();
      await assertLog(reopened, ada, entries(9_000, last));
      await reopened.close();
      expect(await keyCounts(name)).toEqual({ '!': 1, t: 1, c: 1, e: last - 9_000 });
    }
  },
);

test('garbage made while the cleaner is at work is removed as well', async () => {
  const store = await open('store');
  const builder = new PlanBuilder();
  for (let round = 0; round < 60; round += 1) {
    const session = `session ${(round * 7) % 13}` as typeof ada;
    await store.commit(builder.append(session, ...entries(0, 40)).build());
    await store.commit(builder.remove(session).build());
  }
  await store.idle();
  await store.close();
  expect(await keyCounts('store')).toEqual({ '!': 1, t: 1, c: 13 });
});

test('a step removes as much as was written since the one before: garbage cannot outgrow what is kept', async () => {
  const rests: (() => void)[] = [];
  let noteRest: () => void;
  const resting = new Promise<void>((resolve) => {
    noteRest = resolve;
  });
  const sleep: Clock['sleep'] = () =>
    new Promise((resolve) => {
      rests.push(resolve);
      noteRest();
    });
  const store = await open('store', { ...systemClock, sleep });
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 3_500)).build());
  await store.commit(builder.remove(ada).build());
  await resting;
  for (let round = 0; round < 40; round += 1) {
    const session = `session ${round}` as typeof ada;
    await store.commit(builder.append(session, ...entries(0, 100)).build());
    await store.commit(builder.remove(session).build());
  }
  const restedOnce = faults.steps.length;
  const cleaned = store.idle();
  let isClean = false;
  cleaned.then(() => {
    isClean = true;
  });
  let releases = 0;
  while (!isClean) {
    const release = rests.pop();
    if (release !== undefined) releases += 1;
    release?.();
    await new Promise(setImmediate);
  }
  expect(restedOnce).toBe(1);
  expect(faults.steps.length).toBe(1 + 3 + 40);
  // One rest before the step that takes 5,000 at once, and one each after the two that take 1,000 of what is left.
  expect(releases).toBe(3);
  await store.close();
  expect(await keyCounts('store')).toEqual({ '!': 1, t: 1, c: 41 });
});
