import { PersistenceError } from '../domain/errors.ts';
import { partOf, wholeOf } from '../domain/partial-source.ts';
import type { SourceId } from '../domain/plan.ts';
import type { Store } from './store.ts';

/**
 * Refuses a store that was filled with some sessions of its sources only, unless the same ones are `filling` it:
 * the rest would be missing without a word. Throws `STORE_PARTIAL`.
 */
export async function refusePartialStore(store: Pick<Store, 'readSources'>, filling?: SourceId): Promise<void> {
  for (const source of await store.readSources()) {
    const whole = wholeOf(source);
    if (whole === undefined || (filling !== undefined && partOf(filling) === partOf(source))) continue;
    throw new PersistenceError(
      'STORE_PARTIAL',
      `the store holds only some sessions of ${whole}, for looking at: no worker goes on from it`,
    );
  }
}
