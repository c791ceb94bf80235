import assert from 'node:assert/strict';
import type { Plan } from '../domain/plan.ts';
import type { Store } from '../ports/store.ts';
import { base64, readContents } from './store-contents.ts';
import type { StoreLawDefinition, StoreUnderTest } from './store-law.ts';
import { lifeOfTwoSessions } from './store-life.ts';
import { PlanBuilder, somePosition } from './store-plan-builder.ts';
import { ada, assertLog, bytes, entries, source } from './store-samples.ts';

export const sharedLaws: readonly StoreLawDefinition[] = [
  {
    name: 'two that opened one store see one identity, and what either commits is seen by the other at once',
    needs: ['shared'],
    async check(subject) {
      await using other = await another(subject);
      const stores = [subject.store, other] as const;
      assert.deepEqual(other.identity, subject.store.identity);
      for (const [index, plan] of lifeOfTwoSessions().entries()) {
        const [committer, reader] = index % 2 === 0 ? stores : ([stores[1], stores[0]] as const);
        await committer.commit(plan);
        assert.deepEqual(await readContents(reader), await readContents(committer));
      }
    },
  },
  {
    name: 'of commits that start from one cursor, by several that share the store, exactly one wins',
    needs: ['shared'],
    async check(subject) {
      await using other = await another(subject);
      const first = new PlanBuilder().append(ada, ...entries(0, 1)).build();
      await subject.store.commit(first);
      const rivals = Array.from({ length: 10 }, (_, index) => follower(first, index));
      const outcomes = await Promise.allSettled(
        rivals.map((plan, index) => (index % 2 === 0 ? subject.store : other).commit(plan)),
      );
      const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
      assert.equal(winners.length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'CURSOR_MISMATCH');
      }
      const winner = winners[0] ?? -1;
      await assertLog(other, ada, [...entries(0, 1), ...entries(100 + winner, 101 + winner)]);
    },
  },
  {
    name: 'one that stands at an earlier position writes nothing and moves no position back',
    needs: ['shared'],
    async check(subject) {
      await using zombie = await another(subject);
      const builder = new PlanBuilder();
      const plans = [3, 5, 8].map((next) =>
        builder
          .append(ada, ...entries(next, next + 2))
          .save(ada, bytes(`{"at":${next}}`))
          .position(source, 0, somePosition(next))
          .build(),
      );
      for (const plan of plans) await subject.store.commit(plan);
      const before = await readContents(subject.store);
      const positionsAlone = plans.map((plan) => ({ ...plan, changes: [] }));
      for (const plan of [...plans, ...positionsAlone]) {
        await assert.rejects(zombie.commit(plan), isMismatch);
        assert.deepEqual(await readContents(zombie), before);
      }
    },
  },
  {
    name: 'two that commit the same plans at the same time leave what one alone would',
    needs: ['shared', 'atomicPositions'],
    async check(subject) {
      await using other = await another(subject);
      const builder = new PlanBuilder();
      const plans = Array.from({ length: 20 }, (_, index) =>
        builder
          .append(ada, ...entries(index, index + 1))
          .position(source, 0, somePosition(index + 1))
          .build(),
      );
      for (const plan of plans) {
        const outcomes = await Promise.allSettled([subject.store, other].map((store) => store.commit(plan)));
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      }
      await assertLog(subject.store, ada, entries(0, 20));
      assert.deepEqual(await other.readPositions(source), new Map([[0, somePosition(20)]]));
    },
  },
  {
    name: 'a view stays as it was opened while another commits',
    needs: ['shared'],
    async check(subject) {
      await using other = await another(subject);
      const builder = new PlanBuilder();
      await subject.store.commit(
        builder
          .append(ada, ...entries(0, 2_500))
          .save(ada, bytes('{"v":1}'))
          .build(),
      );
      await using view = await subject.store.openSession(ada);
      assert.ok(view !== undefined);
      const pages = view.log()[Symbol.asyncIterator]();
      const first = await pages.next();
      let read = first.done === true ? 0 : first.value.length;
      for (const plan of [builder.append(ada, ...entries(7, 8)).build(), builder.replace(ada).build()]) {
        await other.commit(plan);
      }
      for (let page = await pages.next(); page.done !== true; page = await pages.next()) read += page.value.length;
      assert.equal(read, 2_500);
      assert.equal(base64((await view.snapshot()) ?? bytes('')), base64(bytes('{"v":1}')));
    },
  },
];

async function another({ another: open }: StoreUnderTest): Promise<Store> {
  assert.ok(open !== undefined, 'the harness must bring what sharing needs');
  return await open();
}

/** One of several plans that follow `first`. */
function follower(first: Plan, index: number): Plan {
  const log = entries(100 + index, 101 + index);
  const changes = first.changes.map((change) => ({
    ...change,
    before: change.after,
    after: { ...change.after, version: change.after.version + 1, entries: change.after.entries + 1 },
    log: { reset: false, entries: log },
  }));
  return { ...first, changes, positions: [] };
}

function isMismatch(error: { readonly code?: string }): boolean {
  return ['POSITION_MISMATCH', 'CURSOR_MISMATCH'].includes(error.code ?? '');
}
