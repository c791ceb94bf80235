import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { patiently } from './patiently.ts';

const longestPause = 50;

/** By partition the offset behind its last command, also where it holds nothing any more. */
export type QueueEnds = ReadonlyMap<number, number>;

/**
 * Resolves once everything that the queue holds at this moment is applied to the store, by whichever worker, with where
 * that ended.
 */
export async function untilCaughtUp(queue: Queue, store: Store, clock: Clock, signal: AbortSignal): Promise<QueueEnds> {
  const bounds = await patiently(() => queue.bounds(), clock, signal);
  const held = [...bounds].filter(([, { start, end }]) => start < end);
  for (let pause = 1; ; pause = Math.min(longestPause, pause * 2)) {
    const positions = await patiently(() => store.readPositions(queue.source), clock, signal);
    if (held.every(([partition, { end }]) => (positions.get(partition)?.next ?? 0) >= end)) {
      return new Map([...bounds].map(([partition, { end }]) => [partition, end]));
    }
    await clock.sleep(pause, signal);
  }
}
