import { expect } from 'vitest';
import type { StoreHarness } from '../../src/conformance/index.ts';
import { countedTotals, readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import {
  PlanBuilder,
  someDeadLetter,
  someDecision,
  someParked,
  somePosition,
} from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries, hostileIds, oddBytes, source } from '../../src/conformance/store-samples.ts';
import { isCopyMarker } from '../../src/domain/copy-marker.ts';
import { PersistenceError } from '../../src/domain/errors.ts';
import type { Epoch, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { Plan, SourceId } from '../../src/domain/plan.ts';
import type { Store } from '../../src/ports/store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { copyStore } from '../../src/transfer/copy-store.ts';
import { StoreSource } from '../../src/transfer/store-source.ts';

const mebibyte = 1024 * 1024;
const eve = 'eve' as SessionId;
const mallory = 'mallory' as SessionId;

/** A law of copying between the store under test and one in memory. */
export interface TransferLaw {
  readonly name: string;
  check(harness: StoreHarness): Promise<void>;
}

/** Everything that a store can hold, in several commits; a log and what is parked larger than one commit of a copy. */
function everything(): readonly Plan[] {
  const builder = new PlanBuilder();
  const parked = someParked(4);
  const first = builder
    .append(ada, ...entries(0, 3))
    .save(ada, bytes('{}'))
    .receipt(ada, bytes('r'))
    .anchor(ada, bytes('a'))
    .park(ada, parked, someParked(5))
    .append(bob, ...entries(0, 2))
    .position(source, 0, somePosition(3))
    .build();
  for (const session of hostileIds) builder.append(session, ...entries(0, 2)).save(session, oddBytes(90));
  const second = builder
    .replace(ada, ...entries(10, 12))
    .save(ada, bytes('{"new":true}'))
    .receipt(ada, bytes('kept'))
    .anchor(ada, oddBytes(300))
    .unpark(ada, parked)
    .park(ada, someParked(9))
    .file(ada, someDeadLetter('one', ada), someDecision('two', ada))
    .cursor(ada, {
      epoch: 3 as Epoch,
      writer: 'urn:w' as Writer,
      recent: 'x'.repeat(16),
      halted: true,
      compactionBase: 7,
    })
    .remove(bob)
    .park(mallory, someParked(2))
    .file(mallory, someDeadLetter('four', mallory))
    .unreadable(someDeadLetter('three', undefined), someDeadLetter('five', undefined))
    .position(source, 0, somePosition(8))
    .position('kafka:other' as SourceId, 7, somePosition(1))
    .build();
  const large = Array.from({ length: 5 }, (_, part) =>
    builder
      .append(eve, ...Array.from({ length: 4 }, (_, index) => bytes(`"${`${part}${index}`.repeat(mebibyte / 2)}"`)))
      .park(eve, someParked(part + 20, oddBytes(2 * mebibyte)))
      .file(eve, someDeadLetter(`eve ${part}`, eve, Buffer.from(oddBytes(mebibyte))))
      .build(),
  );
  return [first, second, ...large, builder.save(eve, bytes('{"eve":1}')).receipt(eve, bytes('er')).build()];
}

/** What two stores must hold alike: all but how they came to it, and what tells of the copy itself. */
export async function comparableContents(store: Store): Promise<StoreContents> {
  const contents = await readContents(store);
  expect(contents.totals).toEqual(countedTotals(contents));
  return {
    ...contents,
    cursors: contents.cursors.map(([session, cursor]) => [session, { ...cursor, generation: 0, version: 0 }]),
    positions: Object.fromEntries(
      Object.entries(contents.positions).filter(([name]) => !isCopyMarker(name as SourceId)),
    ),
  };
}

/** A store in memory that holds {@link everything}. */
export async function fullStore(id = 'full'): Promise<Store> {
  const store = createMemoryStore(id);
  for (const plan of everything()) await store.commit(plan);
  return store;
}

export function copy(from: Store, target: Store, signal: AbortSignal = new AbortController().signal) {
  return copyStore(new StoreSource(from), { target, signal, onProgress: () => undefined });
}

/** `store` as a target whose connection breaks: the given commit, counted from 0, fails, before or after its effect. */
export function failingAt(store: Store, commit: number, when: 'before' | 'after'): Store {
  let commits = 0;
  const fail = (): never => {
    throw new PersistenceError('STORE_UNAVAILABLE', 'broken on purpose');
  };
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'commit') return value.bind(target);
      return async (plan: Plan) => {
        commits += 1;
        if (commits - 1 === commit && when === 'before') fail();
        await target.commit(plan);
        if (commits - 1 === commit) fail();
      };
    },
  });
}

/** Of all logs, parts of them included. */
async function countEntries(store: Store): Promise<number> {
  const cursors = await store.listCursors({ limit: 1_000 });
  return cursors.reduce((sum, [, cursor]) => sum + cursor.entries, 0);
}

/** Copies into `target` until it holds a part of the session `eve`. */
async function copyPart(full: Store, target: Store): Promise<void> {
  for (let commit = 1; ; commit += 1) {
    await expect(copy(full, failingAt(target, commit, 'after'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const [cursor] = await target.readCursors([eve]);
    if (cursor?.presence === 'unknown' && cursor.entries > 0) return;
  }
}

export const transferLaws: readonly TransferLaw[] = [
  {
    name: 'a copy into it holds all that its source holds, and so does a copy of that',
    async check(harness) {
      const full = await fullStore();
      const expected = await comparableContents(full);
      const subject = await harness.create();
      try {
        const report = await copy(full, subject.store);
        expect(await comparableContents(subject.store)).toEqual(expected);
        const back = createMemoryStore();
        expect((await copy(subject.store, back)).digest).toBe(report.digest);
        expect(await comparableContents(back)).toEqual(expected);
        expect(report.sessions).toBe(expected.cursors.length);
      } finally {
        await subject.dispose();
      }
    },
  },
  {
    name: 'a copy that breaks off at any commit goes on when it is begun again, and ends the same',
    async check(harness) {
      const full = await fullStore();
      const expected = await comparableContents(full);
      for (let commit = 0; ; commit += 1) {
        const subject = await harness.create();
        try {
          const broken = failingAt(subject.store, commit, commit % 2 === 0 ? 'before' : 'after');
          const error = await copy(full, broken).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error === undefined) return expect(commit).toBeGreaterThan(6);
          expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
          const standing = await countEntries(subject.store);
          const { entries: copied } = await copy(full, subject.store);
          expect(standing + copied).toBe(await countEntries(full));
          expect(await comparableContents(subject.store)).toEqual(expected);
        } finally {
          await subject.dispose();
        }
      }
    },
  },
  {
    name: 'a log that became another one since a part of it was copied is copied as it is now',
    async check(harness) {
      for (const length of [1, 30]) {
        const full = createMemoryStore('changing');
        const builder = new PlanBuilder();
        const large = Array.from({ length: 20 }, (_, index) => bytes(`"${String(index % 10).repeat(mebibyte)}"`));
        await full.commit(builder.append(eve, ...large).build());
        const subject = await harness.create();
        try {
          await copyPart(full, subject.store);
          await full.commit(builder.replace(eve, ...entries(0, length)).build());
          const { digest } = await copy(full, subject.store);
          expect(await comparableContents(subject.store)).toEqual(await comparableContents(full));
          expect((await copy(full, createMemoryStore())).digest).toBe(digest);
        } finally {
          await subject.dispose();
        }
      }
    },
  },
];
