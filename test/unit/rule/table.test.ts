import { describe, expect, test } from 'vitest';
import { tableCases } from '../../laws/rule/cases/index.ts';
import { planBatch } from '../../laws/rule/plan-batch.ts';
import { runCase } from '../../laws/rule/run-case.ts';

describe.each(tableCases)('the one rule: %s', (_row, cases) => {
  test.each(cases.map((one) => [one.law, one] as const))('%s', (_law, one) => {
    const { counts, after } = runCase(planBatch, one);
    expect(counts).toEqual(one.steps.map(([, count]) => count));
    if (one.after !== undefined) expect(after).toMatchObject(one.after);
  });
});
