import assert from 'node:assert/strict';
import { countedTotals, readContents } from './store-contents.ts';
import type { StoreLawDefinition } from './store-law.ts';
import { lifeOfTwoSessions } from './store-life.ts';
import { PlanBuilder, someDeadLetter, someDecision, someParked } from './store-plan-builder.ts';
import { ada, assertCode, bob, entries } from './store-samples.ts';

export const totalsLaws: readonly StoreLawDefinition[] = [
  {
    name: 'after every commit the totals are what counting everything gives',
    async check({ store }) {
      for (const plan of lifeOfTwoSessions()) {
        await store.commit(plan);
        const contents = await readContents(store);
        assert.deepEqual(contents.totals, countedTotals(contents));
      }
    },
  },
  {
    name: 'a dead letter without a session that is committed once more is counted once',
    async check({ store }) {
      const plan = new PlanBuilder().unreadable(someDeadLetter('one', undefined)).build();
      await store.commit(plan);
      await store.commit(plan);
      const contents = await readContents(store);
      assert.deepEqual(contents.totals, countedTotals(contents));
    },
  },
  {
    name: 'every total counts what it is named after',
    async check({ store }) {
      const builder = new PlanBuilder();
      const parked = [someParked(7, Buffer.alloc(100)), someParked(8, Buffer.alloc(11))];
      const plan = builder
        .create(ada)
        .cursor(ada, { halted: true })
        .park(ada, ...parked)
        .file(ada, { ...someDeadLetter('one', ada), reason: 'stale decision' }, someDecision('two', ada))
        .cursor(bob, { refused: true })
        .unreadable(someDeadLetter('three', undefined));
      await store.commit(plan.build());
      const deadLetters = { refused: 1, fenced: 0, unclaimed: 0, conflict: 0, skipped: 0, overflow: 0 };
      assert.deepEqual(await store.readTotals(), {
        sessions: 1,
        halted: 1,
        refused: 1,
        waiting: 1,
        parkedCommands: 2,
        parkedBytes: 111,
        deadLetters: { ...deadLetters, 'stale decision': 1 },
        decisions: 1,
      });
    },
  },
  {
    name: 'a plan that is refused counts for nothing',
    async check({ store }) {
      const first = new PlanBuilder().append(ada, ...entries(0, 1)).build();
      await store.commit(first);
      const before = await store.readTotals();
      const rival = new PlanBuilder().create(bob).unreadable(someDeadLetter('one', undefined)).create(ada).build();
      await assertCode('CURSOR_MISMATCH', store.commit(rival));
      assert.deepEqual(await store.readTotals(), before);
    },
  },
  {
    name: 'totals that were read stay as they were',
    async check({ store }) {
      const builder = new PlanBuilder();
      await store.commit(builder.create(ada).build());
      const before = await store.readTotals();
      const copy = structuredClone(before);
      await store.commit(builder.create(bob).unreadable(someDeadLetter('one', undefined)).build());
      assert.deepEqual(before, copy);
      assert.notDeepEqual(await store.readTotals(), copy);
    },
  },
];
