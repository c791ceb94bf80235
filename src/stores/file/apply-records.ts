import type { Database } from '../../level/database.ts';
import type { ReusedBatch } from '../../level/reused-batch.ts';
import type { RecordEffect } from './effects.ts';
import { writeApplied } from './identity.ts';

/** Does what commit number `commit` does to the store's records as one step that is not synced. */
export async function applyRecords(
  database: Database,
  batch: ReusedBatch,
  effects: readonly RecordEffect[],
  commit: number,
): Promise<void> {
  for (const effect of effects) {
    if (effect.kind === 'put') batch.put(effect.key, effect.value);
    else if (effect.kind === 'del') batch.del(effect.key);
  }
  writeApplied(batch, commit);
  await batch.write({ sync: false });
  const cleared = effects.filter((effect) => effect.kind === 'clear');
  await Promise.all(cleared.map(({ gte, lt }) => database.clear({ gte, lt })));
}
