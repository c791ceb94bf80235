import { PersistenceError } from '../domain/errors.ts';
import type { SourceId, StoredPosition } from '../domain/plan.ts';
import type { ContinuedSource, PartitionBounds, Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';

/**
 * Refuses a queue that the store has never consumed while it has consumed another of the same kind: one that was
 * deleted and made anew, or the wrong one. What the old one still held would be missing without a word. So would what
 * came before a queue that goes on from another one, unless the store has consumed that. Throws `SOURCE_LOST_HISTORY`.
 */
export async function refuseReplacedSource(
  store: Store,
  { source, continues }: Pick<Queue, 'source' | 'continues'>,
): Promise<void> {
  const known = await store.readSources();
  if (known.includes(source)) return;
  await refuseShortStore(store, source, continues);
  const replaced = known.find((other) => kindOf(other) === kindOf(source));
  const isContinued = known.some((other) => other === continues?.source);
  if (replaced === undefined || isContinued) return;
  throw new PersistenceError(
    'SOURCE_LOST_HISTORY',
    `the store was filled from ${replaced}, and ${source} is another queue: configure the queue that belongs to this ` +
      'store, or, when the old one is really gone, set worker.acceptNewQueue to go on with what this one holds',
  );
}

async function refuseShortStore(store: Store, source: SourceId, continues: ContinuedSource | undefined): Promise<void> {
  if (continues === undefined) return;
  const positions = await store.readPositions(continues.source);
  for (const [partition, from] of continues.from) {
    const next = positions.get(partition)?.next ?? 0;
    if (next >= from) continue;
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `${source} goes on from ${continues.source}, partition ${partition} from offset ${from} on, and the store has ` +
        `consumed that up to offset ${next} only: start from a store that has consumed what came before (\`macp-persist ` +
        'replay` builds one where that is archived, or take a backup), or, when that is really gone, set ' +
        'worker.acceptNewQueue',
    );
  }
}

/**
 * Refuses a partition that the store has never consumed and whose first records are gone: retention removed them after
 * another store had consumed them. The sessions in it would wait for their missing commands for ever. Throws
 * `SOURCE_LOST_HISTORY`.
 */
export function refuseLostBeginning(
  positions: ReadonlyMap<number, StoredPosition | undefined>,
  bounds: ReadonlyMap<number, PartitionBounds>,
): void {
  for (const [partition, position] of positions) {
    const start = bounds.get(partition)?.start ?? 0;
    if (position !== undefined || start === 0) continue;
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `the store has consumed nothing of partition ${partition}, and the queue holds it from offset ${start} on only: ` +
        'start from a store that has consumed what came before, or, when that is really gone, set worker.acceptNewQueue',
    );
  }
}

/** Source ids start with the kind of the queue. */
function kindOf(source: SourceId): string {
  return source.slice(0, source.indexOf(':') + 1) || source;
}
