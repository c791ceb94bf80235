import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { tryWithin } from '../../patience.ts';
import { readBounds, readOffsets } from '../consumer/read-bounds.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';

const patience = 30_000;

/**
 * What a topic holds once nothing is being written to it. Throws `QUEUE_UNSAFE` when a transaction is open in one of its
 * partitions: what it will hold is not decided.
 */
export async function settledBounds(
  brokers: TopicBrokers,
  clock: Clock,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  const { name, partitions } = brokers.topic;
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const bounds = await tryWithin(clock, patience, () => readBounds(brokers, numbers));
  const written = await tryWithin(clock, patience, () => readOffsets(brokers, numbers, 'written'));
  for (const [partition, { end }] of bounds) {
    if ((written.get(partition) ?? 0) <= end) continue;
    throw new PersistenceError(
      'QUEUE_UNSAFE',
      `a transaction is open in partition ${partition} of topic ${name}: stop its publishers, and begin again`,
    );
  }
  return bounds;
}
