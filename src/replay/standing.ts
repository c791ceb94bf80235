import type { SourceId, StoredPosition } from '../domain/plan.ts';
import type { SourcePosition } from '../ports/copy-source.ts';
import type { ContinuedSource } from '../ports/queue.ts';

/** Where a store stands in all that it was filled from. */
export type Standing = readonly SourcePosition[];

/** Where it stands in one source, by partition. */
export function positionsIn(standing: Standing, source: SourceId): ReadonlyMap<number, StoredPosition> {
  return new Map(standing.filter((at) => at.source === source).map(({ partition, to }) => [partition, to]));
}

/** Whether it has consumed all that was held by a source before another one went on from it. */
export function hasConsumed(standing: Standing, { source, from }: ContinuedSource): boolean {
  const positions = positionsIn(standing, source);
  return [...from].every(([partition, end]) => (positions.get(partition)?.next ?? 0) >= end);
}
