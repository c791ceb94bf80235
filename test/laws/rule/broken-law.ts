import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import { modelFacts, ruleFacts } from './against-model.ts';
import { tableCases } from './cases/index.ts';
import { command, types } from './commands.ts';
import { deliveryOf } from './deliveries.ts';
import type { Facts } from './facts.ts';
import { anyCuts, anyHistory } from './histories.ts';
import type { NaiveDelivery } from './naive-delivery.ts';
import { type PlanBatch, PlanStore } from './plan-store.ts';
import { countsOf, runCase } from './run-case.ts';

const largest = 16 * 1024 * 1024;
const cases = tableCases.flatMap(([, rows]) => rows);

interface Sample {
  readonly deliveries: readonly NaiveDelivery[];
  readonly cuts: readonly number[];
  readonly expected: Facts;
}

/** Histories whose ends the naive model has told once, for checking many versions of the rule. */
export function sampleHistories(count: number): readonly Sample[] {
  const drawn = fc.sample(fc.tuple(anyHistory(40), anyCuts), { seed: 7, numRuns: count });
  return drawn.map(([deliveries, cuts]) => ({ deliveries, cuts, expected: modelFacts(deliveries) }));
}

/** The first law that this version of the rule breaks, or undefined when it keeps all: the suite in small. */
export function brokenLaw(planBatch: PlanBatch, samples: readonly Sample[]): string | undefined {
  for (const one of cases) {
    const law = kept(one.law, () => {
      const { counts, total, after } = runCase(planBatch, one);
      expect(counts).toEqual(one.steps.map(([, count]) => count));
      if (one.after !== undefined) expect(after).toMatchObject(one.after);
      const inOneBatch = runCase(planBatch, one, 'in one batch');
      expect(inOneBatch).toMatchObject({ total, after });
    });
    if (law !== undefined) return law;
  }
  return brokenBound(planBatch) ?? brokenHistory(planBatch, samples);
}

function brokenBound(planBatch: PlanBatch): string | undefined {
  const manyCommands = kept('10,000 commands wait and no more', () => {
    const waiting = Array.from({ length: 10_001 }, (_, index) => command(index + 2));
    expect(batchCounts(planBatch, waiting)).toEqual(['parked 10000, overflow']);
  });
  const manyBytes = kept('64 MiB wait and no more', () => {
    const sizes = [largest, largest, largest, largest, 1, 1];
    const waiting = sizes.map((bytes, index) => ({
      ...command(index + 2, { type: types.receipt }),
      data: 'r'.repeat(bytes),
    }));
    expect(batchCounts(planBatch, waiting)).toEqual(['parked 4, overflow 2']);
  });
  return manyCommands ?? manyBytes;
}

function batchCounts(planBatch: PlanBatch, deliveries: readonly NaiveDelivery[]): readonly string[] {
  return new PlanStore().take(planBatch, deliveries.map(deliveryOf)).map(countsOf);
}

function brokenHistory(planBatch: PlanBatch, samples: readonly Sample[]): string | undefined {
  for (const [index, { deliveries, cuts, expected }] of samples.entries()) {
    const law = kept(`history ${index} ends as the naive model ends`, () => {
      if (!isDeepStrictEqual(ruleFacts(planBatch, deliveries, cuts), expected)) throw new RangeError('another end');
    });
    if (law !== undefined) return law;
  }
  return undefined;
}

/** `law` when `check` throws. */
function kept(law: string, check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch {
    return law;
  }
}
