import { expect, test } from 'vitest';
import { lifeOfTwoSessions } from '../../../src/conformance/store-life.ts';
import { PlanBuilder } from '../../../src/conformance/store-plan-builder.ts';
import { ada, entries } from '../../../src/conformance/store-samples.ts';
import { addPlan, emptyTotals, type StoreTotals } from '../../../src/domain/totals.ts';

test('a plan that changes no total gives back the very totals, so that nothing has to be written', () => {
  const builder = new PlanBuilder();
  const totals = addPlan(emptyTotals(), builder.append(ada, ...entries(0, 1)).build(), []);
  expect(totals).toEqual({ ...emptyTotals(), sessions: 1 });
  expect(addPlan(totals, builder.append(ada, ...entries(1, 9)).build(), [])).toBe(totals);
  expect(addPlan(totals, builder.build(), [])).toBe(totals);
});

test('totals that were added to stay as they were', () => {
  let totals: StoreTotals = emptyTotals();
  for (const plan of lifeOfTwoSessions()) {
    const before = structuredClone(totals);
    const after = addPlan(totals, plan, []);
    expect(totals).toEqual(before);
    totals = after;
  }
  expect(totals).not.toEqual(emptyTotals());
});
