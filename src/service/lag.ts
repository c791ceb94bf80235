import type { Queue } from '../ports/queue.ts';
import type { PartitionStatus } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';

/** How far a store has come in each partition of a queue, in the order of the partitions. */
export async function readPartitions(queue: Queue, store: Store): Promise<readonly PartitionStatus[]> {
  // The positions first: what is published meanwhile shows as lag, never as less than none.
  const positions = await store.readPositions(queue.source);
  const bounds = [...(await queue.bounds())].sort(([one], [other]) => one - other);
  return bounds.map(([partition, { start, end }]) => ({
    partition,
    start,
    end,
    persisted: Math.max(positions.get(partition)?.next ?? 0, start),
  }));
}

/** Commands that are durable in the queue and not yet persisted. */
export function lagOf(partitions: readonly PartitionStatus[]): number {
  return partitions.reduce((sum, { end, persisted }) => sum + Math.max(0, end - persisted), 0);
}
