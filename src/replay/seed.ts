import { PersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { PartitionBounds, ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { CopyOptions } from '../transfer/copy-options.ts';
import { copyStore } from '../transfer/copy-store.ts';
import { hasConsumed, positionsIn, type Standing } from './standing.ts';

export interface Seed extends Pick<CopyOptions, 'signal' | 'onProgress'> {
  readonly base: CopySource;
  /** Where the base stands. */
  readonly standing: Standing;
  readonly target: Store;
  /** What is to be replayed after it, under the name that the base was filled from it. */
  readonly source: Pick<ReplaySource, 'source' | 'continues'>;
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
}

/**
 * Copies the base into the target, or goes on with that. Nothing is written unless the source goes on where the base
 * stands: else `SOURCE_LOST_HISTORY`. Throws what copying throws.
 */
export async function seed({ base, standing, target, source, bounds, signal, onProgress }: Seed): Promise<void> {
  refuseGap(positionsOf(base, standing, source), source, bounds);
  await copyStore(base, { target, signal, onProgress });
}

function positionsOf(
  base: CopySource,
  standing: Standing,
  { source, continues }: Pick<ReplaySource, 'source' | 'continues'>,
): ReadonlyMap<number, StoredPosition> {
  const positions = positionsIn(standing, source);
  const standsBefore = continues !== undefined && continues.from.size > 0 && hasConsumed(standing, continues);
  if (positions.size > 0 || standsBefore) return positions;
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
