import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Delivery } from '../../../src/domain/delivery.ts';
import { deadLetterReasons, type Tally } from '../../../src/domain/plan.ts';
import { BatchPlanner } from '../../../src/domain/rule/plan-batch.ts';
import { modelFacts, oneByOne, ruleFacts, ruleStore } from './against-model.ts';
import { deliveryOf } from './deliveries.ts';
import { dataOf, factsOfModel, factsOfStore } from './facts.ts';
import { anyCuts, anyHistory } from './histories.ts';
import type { NaiveDelivery } from './naive-delivery.ts';
import { contractLimits, NaiveModel } from './naive-model.ts';
import { takeEffect } from './naive-session.ts';
import { planBatch, planBatchWith } from './plan-batch.ts';
import { PlanStore } from './plan-store.ts';
import { totalOf } from './run-case.ts';
import { wellBehaved } from './well-behaved.ts';

const seed = 20_261_124;
const history = anyHistory(40);
const rewinds = fc.array(fc.record({ at: fc.nat(400), back: fc.nat(60), count: fc.nat(60) }), {
  minLength: 1,
  maxLength: 5,
});

/** A deep comparison that is quick where all is well and tells the difference where it is not. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

describe('the one rule, whatever happens', () => {
  test('the histories reach every outcome, a forgotten command and a merged reign', () => {
    const reached = new Set<string>();
    for (const deliveries of fc.sample(history, { seed, numRuns: 400 })) {
      const model = new NaiveModel(contractLimits);
      for (const delivery of deliveries) reached.add(model.deliver(delivery));
      for (const session of model.sessions.values()) {
        if (session.last - session.lastAtClaim > 16) reached.add('a long reign');
        if (session.earlier.some(({ writer }) => writer === undefined)) reached.add('a merged reign');
        if (session.skipped.size > 1) reached.add('several skips');
      }
    }
    const outcomes = ['duplicate', 'applied', 'parked', 'corrected', 'claimed', 'decided', ...deadLetterReasons];
    const states = ['a long reign', 'a merged reign', 'several skips'];
    // Overflow takes 10,000 commands: it has tests of its own.
    expect([...reached].sort()).toEqual([...outcomes, ...states].filter((one) => one !== 'overflow').sort());
  });

  test('it ends as the naive model ends, wherever batches are cut', () => {
    const law = fc.property(history, anyCuts, (deliveries, cuts) => {
      expectSame(ruleFacts(planBatch, deliveries, cuts), modelFacts(deliveries));
    });
    fc.assert(law, { seed, numRuns: 1500 });
  });

  test('a batch that is decided in slices is the batch decided at once, step by step', () => {
    const law = fc.property(history, anyCuts, fc.integer({ min: 1, max: 7 }), (deliveries, cuts, slice) => {
      const arrivals = deliveries.map(deliveryOf);
      const atOnce = new PlanStore();
      const sliced = new PlanStore();
      expectSame(
        sliced.take(planBatchWith(BatchPlanner, slice), arrivals, cuts),
        atOnce.take(planBatch, arrivals, cuts),
      );
      expectSame(sliced.sessions, atOnce.sessions);
      expectSame(sliced.homeless, atOnce.homeless);
    });
    fc.assert(law, { seed, numRuns: 400 });
  });

  test('where a batch is cut changes nothing, down to the version of each cursor and the tally', () => {
    const law = fc.property(history, anyCuts, (deliveries, cuts) => {
      const arrivals = deliveries.map(deliveryOf);
      const whole = new PlanStore();
      const cut = new PlanStore();
      const single = new PlanStore();
      const tallies = [
        whole.take(planBatch, arrivals),
        cut.take(planBatch, arrivals, cuts),
        single.take(planBatch, arrivals, oneByOne(arrivals)),
      ].map(totalOf);
      expectSame(cut.sessions, whole.sessions);
      expectSame(single.sessions, whole.sessions);
      expectSame(cut.homeless, whole.homeless);
      expectSame(tallies[1], tallies[0]);
      expectSame(tallies[2], tallies[0]);
    });
    fc.assert(law, { seed, numRuns: 700 });
  });

  test('a redelivery of anything, at any later time, changes nothing: the store is the one a replay builds', () => {
    const law = fc.property(history, rewinds, anyCuts, (deliveries, again, cuts) => {
      const records = deliveries.map(deliveryOf);
      const delivered = again.reduce<readonly Delivery[]>(rewind, records);
      const replayed = new PlanStore();
      const worked = new PlanStore();
      replayed.take(planBatch, records);
      worked.take(planBatch, delivered, cuts);
      expectSame(worked.sessions, replayed.sessions);
      expectSame(worked.homeless, replayed.homeless);
    });
    fc.assert(law, { seed, numRuns: 700 });
  });

  test('the whole sequence once more over the finished store is nothing but duplicates', () => {
    const law = fc.property(history, anyCuts, (deliveries, cuts) => {
      const records = deliveries.map(deliveryOf);
      const store = new PlanStore();
      store.take(planBatch, records);
      const twin = new PlanStore();
      twin.take(planBatch, records);
      const { duplicates, ...others } = totalOf(store.take(planBatch, records, cuts));
      expectSame(store.sessions, twin.sessions);
      expectSame(store.homeless, twin.homeless);
      expectSame(duplicates, records.length);
      expectSame(new Set(counts(others)), new Set([0]));
    });
    fc.assert(law, { seed, numRuns: 500 });
  });

  test('no session ever notices another', () => {
    const law = fc.property(history, anyCuts, (deliveries, cuts) => {
      const records = deliveries.map(deliveryOf);
      const together = new PlanStore();
      together.take(planBatch, records, cuts);
      for (const [session, state] of together.sessions) {
        const alone = new PlanStore();
        const own = records.filter(({ content }) => content.session === session);
        alone.take(planBatch, own);
        expectSame(alone.sessions.get(session), state);
      }
    });
    fc.assert(law, { seed, numRuns: 500 });
  });

  test('planning twice gives the same plan and leaves what it was told alone', () => {
    const law = fc.property(history, history, (earlier, later) => {
      const store = ruleStore(planBatch, earlier);
      const once = planOf(store, later);
      expectSame(planOf(store, later), once);
      expectSame(store.sessions, ruleStore(planBatch, earlier).sessions);
    });
    fc.assert(law, { seed, numRuns: 200 });
  });
});

describe('writers that keep to the contract', () => {
  test('disorder, doubles, redelivery and take-overs end as each command once, in order', () => {
    const law = fc.property(wellBehaved, anyCuts, ({ deliveries, expected }, cuts) => {
      const store = ruleStore(planBatch, deliveries, cuts);
      const inOrder = new NaiveModel(contractLimits);
      for (const [session, commands] of expected) {
        for (const command of commands) takeEffect(inOrder.session(session), command);
      }
      expectSame(dataOf(factsOfStore(store)), dataOf(factsOfModel(inOrder)));
    });
    fc.assert(law, { seed, numRuns: 1000 });
  });

  test('nothing of theirs conflicts, halts or waits in the end', () => {
    const law = fc.property(wellBehaved, ({ deliveries }) => {
      for (const state of ruleStore(planBatch, deliveries).sessions.values()) {
        expectSame([state.cursor.halted, state.cursor.refused, state.parked.size], [false, false, 0]);
        for (const record of state.filed.values()) {
          if (record.kind !== 'dead letter') throw new TypeError('nobody decided anything');
          expect(['refused', 'fenced']).toContain(record.reason);
        }
      }
    });
    fc.assert(law, { seed, numRuns: 300 });
  });
});

function planOf(store: PlanStore, deliveries: readonly NaiveDelivery[]): unknown {
  const result = planBatch(
    {
      state: (session) => {
        const stored = store.sessions.get(session);
        return { cursor: stored?.cursor, parked: stored?.parked ?? new Map() };
      },
      isFiled: (session, id) =>
        session === undefined ? store.homeless.has(id) : store.sessions.get(session)?.filed.has(id) === true,
      parkedCommand: (session, sequence) => store.sessions.get(session)?.parked.get(sequence),
    },
    deliveries.map(deliveryOf),
  );
  return result;
}

function rewind<Item>(
  records: readonly Item[],
  { at, back, count }: { readonly at: number; readonly back: number; readonly count: number },
): readonly Item[] {
  const place = at % (records.length + 1);
  const start = Math.max(0, place - back);
  return [...records.slice(0, place), ...records.slice(start, Math.min(start + count, place)), ...records.slice(place)];
}

function counts({ deadLetters, ...others }: Omit<Tally, 'duplicates'>): readonly number[] {
  return [...Object.values(others), ...Object.values(deadLetters)];
}
