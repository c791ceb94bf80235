import { readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { memoryHarness } from './memory-harness.ts';

/** Does `work` again for as long as its failures say that it may be done again. How often it failed. */
export async function untilDone(work: () => Promise<unknown>): Promise<number> {
  for (let failures = 0; ; failures += 1) {
    try {
      await work();
      return failures;
    } catch (error) {
      if (!isPersistenceError(error) || !error.retryable) throw error;
      await systemClock.sleep(5);
    }
  }
}

/** Commits the same plan for as long as the store says that it may be committed again. How often it failed. */
export function commitUntilDone(store: Store, plan: Plan): Promise<number> {
  return untilDone(() => store.commit(plan));
}

/** What a store must hold after exactly these plans. */
export async function memoryAfter(plans: readonly Plan[]): Promise<StoreContents> {
  const { store } = await memoryHarness.create();
  for (const plan of plans) await store.commit(plan);
  return readContents(store);
}
