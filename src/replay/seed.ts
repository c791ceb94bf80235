import { PersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { PartitionBounds, ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { CopyOptions } from '../transfer/copy-options.ts';
import { copyStore } from '../transfer/copy-store.ts';
import { readCopyState } from '../transfer/copy-target.ts';

export interface Seed extends Pick<CopyOptions, 'signal' | 'onProgress'> {
  readonly base: CopySource;
  readonly target: Store;
  /** What is to be replayed after it, under the name that the base was filled from it. */
  readonly source: Pick<ReplaySource, 'source'>;
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
}

/**
 * Copies the base into the target, or goes on with that; a target that holds it whole is left as it is. Nothing is
 * written unless the source goes on where the base stands: else `SOURCE_LOST_HISTORY`. Throws what copying throws.
 */
export async function seed({ base, target, source, bounds, signal, onProgress }: Seed): Promise<void> {
  if ((await readCopyState(target, base.name)).isComplete) return;
  refuseGap(await positionsOf(base, source), source, bounds);
  await copyStore(base, { target, signal, onProgress });
}

async function positionsOf(
  base: CopySource,
  { source }: Pick<ReplaySource, 'source'>,
): Promise<ReadonlyMap<number, StoredPosition>> {
  const positions = (await base.positions()).filter((position) => position.source === source);
  if (positions.length > 0) return new Map(positions.map(({ partition, to }) => [partition, to]));
  throw new PersistenceError(
    'SOURCE_LOST_HISTORY',
    `the base ${base.name} has consumed nothing of ${source}: it is no part of the same history`,
  );
}

function refuseGap(
  stored: ReadonlyMap<number, StoredPosition>,
  { source }: Pick<ReplaySource, 'source'>,
  bounds: ReadonlyMap<number, PartitionBounds>,
): void {
  for (const [partition, { start, end }] of bounds) {
    const next = stored.get(partition)?.next ?? 0;
    if (next >= start && next <= end) continue;
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `the base stands at offset ${next} of partition ${partition} of ${source}, which holds offsets ${start} to ` +
        `${end}: ${next < start ? 'use a newer one' : 'the source went back in time since'}`,
    );
  }
}
