import { BatchPlanner } from '../../../src/domain/rule/plan-batch.ts';
import type { PlanBatch } from './plan-store.ts';

/** Plans whole batches with the planner, or a mutant of it; in slices of `slice` deliveries where it is given. */
export function planBatchWith(Planner: typeof BatchPlanner, slice = Number.MAX_SAFE_INTEGER): PlanBatch {
  return (knowledge, deliveries) => {
    const planner = new Planner(knowledge);
    for (let start = 0; start < deliveries.length; start += slice) {
      planner.decide(deliveries.slice(start, start + slice));
    }
    return planner.result();
  };
}

export const planBatch = planBatchWith(BatchPlanner);
