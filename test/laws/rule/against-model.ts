import { deliveryOf } from './deliveries.ts';
import { type Facts, factsOfModel, factsOfStore } from './facts.ts';
import type { NaiveDelivery } from './naive-delivery.ts';
import { contractLimits, NaiveModel } from './naive-model.ts';
import { type PlanBatch, PlanStore } from './plan-store.ts';

/** How the naive model ends when it is fed the deliveries one at a time. */
export function modelFacts(deliveries: readonly NaiveDelivery[]): Facts {
  const model = new NaiveModel(contractLimits);
  for (const delivery of deliveries) model.deliver(delivery);
  return factsOfModel(model);
}

/** The store that the rule's plans lead to; batches end at `cuts`, taken modulo the number of deliveries. */
export function ruleStore(
  planBatch: PlanBatch,
  deliveries: readonly NaiveDelivery[],
  cuts: readonly number[] = [],
  store: PlanStore = new PlanStore(),
): PlanStore {
  const ends = cuts.map((cut) => cut % (deliveries.length + 1));
  store.take(planBatch, deliveries.map(deliveryOf), ends);
  return store;
}

/** How the rule ends, as far as anybody may see. */
export function ruleFacts(
  planBatch: PlanBatch,
  deliveries: readonly NaiveDelivery[],
  cuts: readonly number[] = [],
): Facts {
  return factsOfStore(ruleStore(planBatch, deliveries, cuts));
}

/** Ends of batches that hold one delivery each. */
export function oneByOne(deliveries: readonly unknown[]): readonly number[] {
  return deliveries.map((_, index) => index + 1);
}
