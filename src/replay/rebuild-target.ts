import { PersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { whatItHolds } from '../transfer/copy-target.ts';

/** Throws `TARGET_NOT_EMPTY` unless the store is empty, or holds what this very source has filled it with. */
export async function refuseOtherContent(
  target: Store,
  { source, continues }: Pick<ReplaySource, 'source' | 'continues'>,
): Promise<void> {
  const sources = await target.readSources();
  if (sources.includes(source)) return;
  if (continues !== undefined && sources.includes(continues.source)) return;
  const holds = await whatItHolds(target, sources);
  if (holds === undefined) return;
  throw new PersistenceError(
    'TARGET_NOT_EMPTY',
    `the store ${target.identity.kind}:${target.identity.id} ${holds}: replay ${source} into one that is empty, or ` +
      'that it has filled in the same way',
  );
}

/** Throws `TARGET_NOT_EMPTY` where the store holds more than what comes before these offsets. */
export function refuseBeyond(
  stored: ReadonlyMap<number, StoredPosition>,
  ends: ReadonlyMap<number, number> | undefined,
): void {
  for (const [partition, end] of ends ?? []) {
    const next = stored.get(partition)?.next ?? 0;
    if (next <= end) continue;
    throw new PersistenceError(
      'TARGET_NOT_EMPTY',
      `the store holds partition ${partition} up to offset ${next} already, beyond ${end}: replay into an empty one`,
    );
  }
}
