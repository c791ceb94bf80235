import type { PositionStep, StoredPosition } from '../domain/plan.ts';
import type { PartitionBounds } from '../ports/queue.ts';

/** How far a store is from the end of what it is filled with, in offsets. */
export class Distance {
  readonly #standing: Map<number, number>;
  /** Offsets between where the store stood and the end. */
  readonly total: number;
  #done = 0;

  constructor(
    bounds: ReadonlyMap<number, PartitionBounds>,
    ends: ReadonlyMap<number, number> | undefined,
    stored: ReadonlyMap<number, StoredPosition>,
  ) {
    this.#standing = new Map(
      [...bounds].map(([partition, { start }]) => [partition, stored.get(partition)?.next ?? start]),
    );
    this.total = [...bounds].reduce((total, [partition, { end }]) => {
      const last = Math.min(end, ends?.get(partition) ?? end);
      return total + Math.max(0, last - (this.#standing.get(partition) ?? last));
    }, 0);
  }

  /** Takes note of a commit; returns how many offsets were gone by now. */
  advance(steps: readonly PositionStep[]): number {
    for (const { partition, to } of steps) {
      this.#done += to.next - (this.#standing.get(partition) ?? to.next);
      this.#standing.set(partition, to.next);
    }
    return this.#done;
  }
}
