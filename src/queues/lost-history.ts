import { PersistenceError } from '../domain/errors.ts';
import type { PartitionBounds } from '../ports/queue.ts';

/** What to tell someone who asks for a position that the queue does not hold, or holds with another record before it. */
export function lostHistory(partition: number, next: number, held: PartitionBounds, isHeld: boolean): PersistenceError {
  const what = isHeld
    ? 'the record before that offset is another one than was consumed'
    : `it holds offsets ${held.start} to ${held.end}`;
  return new PersistenceError(
    'SOURCE_LOST_HISTORY',
    `offset ${next} of partition ${partition} cannot be gone on from in this queue: ${what}; use the queue that the ` +
      'store was built from, or build a new store by replaying this one',
  );
}
