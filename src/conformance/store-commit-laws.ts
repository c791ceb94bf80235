import assert from 'node:assert/strict';
import type { Epoch, Sequence, Writer } from '../domain/identifiers.ts';
import type { Plan } from '../domain/plan.ts';
import { emptyTotals } from '../domain/totals.ts';
import { readContents } from './store-contents.ts';
import type { StoreLawDefinition } from './store-law.ts';
import { lifeOfTwoSessions } from './store-life.ts';
import { PlanBuilder, someDeadLetter, someParked, somePosition } from './store-plan-builder.ts';
import { ada, assertCode, assertLog, bob, bytes, entries, source } from './store-samples.ts';

export const commitLaws: readonly StoreLawDefinition[] = [
  {
    name: 'a store starts empty and names itself',
    async check({ store }) {
      const contents = await readContents(store);
      assert.deepEqual(contents, emptyContents);
      assert.ok(store.identity.id.length > 0 && store.identity.kind.length > 0);
      assert.ok(Number.isSafeInteger(store.identity.layoutVersion) && store.identity.layoutVersion >= 1);
    },
  },
  {
    name: 'a plan with nothing in it changes nothing',
    async check({ store }) {
      await store.commit(new PlanBuilder().build());
      assert.deepEqual(await readContents(store), emptyContents);
    },
  },
  {
    name: 'every part of a cursor is read back',
    async check({ store }) {
      const builder = new PlanBuilder();
      const writer = 'urn:w:%C3%A9' as Writer;
      const plan = builder
        .cursor(ada, {
          presence: 'known',
          epoch: Number.MAX_SAFE_INTEGER as Epoch,
          writer,
          first: 4 as Sequence,
          last: (Number.MAX_SAFE_INTEGER - 1) as Sequence,
          recent: Array.from({ length: 128 }, (_, index) => String.fromCharCode(255 - index)).join(''),
          earlier: [
            { epoch: 1 as Epoch, writer: undefined, first: 1 as Sequence, last: 2 as Sequence },
            { epoch: 2 as Epoch, writer, first: 3 as Sequence, last: 2 as Sequence },
          ],
          skipped: [{ from: 5 as Sequence, to: (2 ** 40) as Sequence }],
          halted: true,
          refused: true,
          compactionBase: 2 ** 33,
          hasReceipt: true,
          hasAnchor: true,
          parkedCommands: 3,
          parkedBytes: 2 ** 26,
          filed: 5,
        })
        .build();
      await store.commit(plan);
      assert.deepEqual(await store.readCursors([bob, ada]), [undefined, plan.changes[0]?.after]);
    },
  },
  {
    name: 'bytes passed to a commit may be used again afterwards',
    async check({ store }) {
      const entry = Buffer.from('{"entry":0}');
      const builder = new PlanBuilder().append(ada, entry).save(ada, entry).receipt(ada, entry);
      await store.commit(builder.file(ada, someDeadLetter('kept', ada, entry)).build());
      const before = await readContents(store);
      entry.fill(0);
      assert.deepEqual(await readContents(store), before);
    },
  },
  {
    name: 'a plan that starts at another position writes nothing at all',
    needs: 'atomicPositions',
    async check({ store }) {
      const builder = new PlanBuilder();
      await store.commit(
        builder
          .append(ada, ...entries(0, 2))
          .position(source, 0, somePosition(4))
          .build(),
      );
      const before = await readContents(store);
      const stale = [undefined, somePosition(3), somePosition(5), somePosition(4, 'another record')];
      for (const from of stale) {
        const plan = touchEverything(builder);
        const positions = [
          { source, partition: 1, from: undefined, to: somePosition(1) },
          { source, partition: 0, from, to: somePosition(6) },
        ];
        await assertCode('POSITION_MISMATCH', store.commit({ ...plan, positions }));
        assert.deepEqual(await readContents(store), before);
      }
    },
  },
  {
    name: 'a plan decided on another cursor writes nothing at all',
    async check({ store }) {
      const builder = new PlanBuilder();
      const first = builder.append(ada, ...entries(0, 2)).build();
      await store.commit(first);
      const stale = builder.append(bob, ...entries(0, 1)).append(ada, ...entries(2, 3));
      const plan = stale.position(source, 0, somePosition(9)).unreadable(someDeadLetter('x', undefined)).build();
      await store.commit(rival(first));
      const before = await readContents(store);
      await assertCode('CURSOR_MISMATCH', store.commit(plan));
      assert.deepEqual(await readContents(store), before);
    },
  },
  {
    name: 'a plan that takes a known session for a new one, or a new one for a known one, writes nothing',
    async check({ store }) {
      const first = new PlanBuilder().append(ada, ...entries(0, 2)).build();
      const second = new PlanBuilder();
      second.append(bob, ...entries(0, 1)).build();
      await store.commit(first);
      const before = await readContents(store);
      await assertCode('CURSOR_MISMATCH', store.commit(first));
      await assertCode('CURSOR_MISMATCH', store.commit(second.append(bob, ...entries(1, 2)).build()));
      assert.deepEqual(await readContents(store), before);
    },
  },
  {
    name: 'of several concurrent commits that start from one cursor, exactly one wins',
    async check({ store }) {
      const builder = new PlanBuilder();
      const first = builder.append(ada, ...entries(0, 1)).build();
      await store.commit(first);
      const rivals = Array.from({ length: 8 }, (_, index) => rival(first, entries(100 + index, 101 + index)));
      const outcomes = await Promise.allSettled(rivals.map((plan) => store.commit(plan)));
      const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
      assert.equal(winners.length, 1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'CURSOR_MISMATCH');
      const winner = winners[0] ?? -1;
      await assertLog(store, ada, [...entries(0, 1), ...entries(100 + winner, 101 + winner)]);
    },
  },
  {
    name: 'commits take effect in the order in which they were called',
    async check({ store }) {
      const builder = new PlanBuilder();
      const plans = Array.from({ length: 40 }, (_, index) => builder.append(ada, ...entries(index, index + 1)).build());
      await Promise.all(plans.map((plan) => store.commit(plan)));
      await assertLog(store, ada, entries(0, 40));
    },
  },
  {
    name: 'closing and opening again between any two commits changes nothing',
    needs: 'durable',
    async check(subject) {
      const { identity } = subject.store;
      const expected: unknown[] = [];
      for (const plan of lifeOfTwoSessions()) {
        await subject.store.commit(plan);
        const before = await readContents(subject.store);
        await subject.reopen();
        assert.deepEqual(await readContents(subject.store), before);
        expected.push(before);
      }
      assert.equal(new Set(expected.map((contents) => JSON.stringify(contents))).size, expected.length);
      assert.deepEqual(subject.store.identity, identity);
    },
  },
  {
    name: 'after opening again, stale plans are refused as before',
    needs: 'durable',
    async check(subject) {
      const plans = lifeOfTwoSessions();
      for (const plan of plans) await subject.store.commit(plan);
      await subject.reopen();
      const before = await readContents(subject.store);
      for (const plan of plans) {
        await assert.rejects(subject.store.commit(plan), (error: { code?: string }) =>
          ['POSITION_MISMATCH', 'CURSOR_MISMATCH'].includes(error.code ?? ''),
        );
      }
      assert.deepEqual(await readContents(subject.store), before);
    },
  },
  {
    name: 'close is idempotent, and every later call fails with STORE_CLOSED',
    async check({ store }) {
      const builder = new PlanBuilder();
      await store.commit(builder.append(ada, ...entries(0, 2)).build());
      const view = await store.openSession(ada);
      assert.ok(view !== undefined);
      await Promise.all([store.close(), store.close()]);
      await store.close();
      const page = { limit: 1 };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.commit(builder.append(ada, ...entries(2, 3)).build()),
        () => store.readCursors([ada]),
        () => store.readParkedHeaders(ada),
        () => store.readParked(ada, []),
        () => store.areFiled([]),
        () => store.readFiled(undefined, page),
        () => store.readPositions(source),
        () => store.readSources(),
        () => store.readTotals(),
        () => store.openSession(ada),
        () => store.listSessions(page),
        () => store.listCursors(page),
        () => view.snapshot(),
        () => view.log()[Symbol.asyncIterator]().next(),
      ];
      for (const call of calls) await assertCode('STORE_CLOSED', call());
      await view.close();
    },
  },
  {
    name: 'close waits for the commit under way',
    needs: 'durable',
    async check(subject) {
      const committed = subject.store.commit(new PlanBuilder().append(ada, ...entries(0, 100)).build());
      const outcome = committed.then(
        () => 'committed',
        (error: { code?: string }) => error.code,
      );
      await subject.reopen();
      if ((await outcome) === 'committed') await assertLog(subject.store, ada, entries(0, 100));
      else {
        assert.equal(await outcome, 'STORE_CLOSED');
        assert.deepEqual(await readContents(subject.store), emptyContents);
      }
    },
  },
];

const emptyContents = {
  sessions: [],
  cursors: [],
  views: {},
  parkedHeaders: {},
  parked: {},
  filed: [],
  positions: {},
  totals: emptyTotals(),
};

function touchEverything(builder: PlanBuilder): Plan {
  return builder
    .append(bob, ...entries(0, 2))
    .save(bob, bytes('{}'))
    .receipt(bob, bytes('r'))
    .anchor(bob, bytes('a'))
    .park(bob, someParked(5))
    .file(bob, someDeadLetter('d', bob))
    .unreadable(someDeadLetter('u', undefined))
    .build();
}

/** Another plan that follows `first`, by someone who does not know of the others. */
function rival(first: Plan, log: readonly Uint8Array[] = entries(70, 71)): Plan {
  const changes = first.changes.map((change) => ({
    ...change,
    before: change.after,
    after: { ...change.after, version: change.after.version + 1, entries: change.after.entries + log.length },
    log: { reset: false, entries: log },
  }));
  return { ...first, changes, positions: [] };
}
