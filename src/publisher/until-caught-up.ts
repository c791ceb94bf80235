import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { patiently } from './patiently.ts';

const longestPause = 50;

/** By partition that holds something, behind which offset nothing stands. */
export type QueueEnds = ReadonlyMap<number, number>;

/**
 * Resolves once everything that the queue holds at this moment is applied to the store, by whichever worker, with where
 * that ended.
 */
export async function untilCaughtUp(queue: Queue, store: Store, clock: Clock, signal: AbortSignal): Promise<QueueEnds> {
  const bounds = await patiently(() => queue.bounds(), clock, signal);
  const ends = new Map([...bounds].flatMap(([partition, { start, end }]) => (start < end ? [[partition, end]] : [])));
  for (let pause = 1; ; pause = Math.min(longestPause, pause * 2)) {
    const positions = await patiently(() => store.readPositions(queue.source), clock, signal);
    if ([...ends].every(([partition, end]) => (positions.get(partition)?.next ?? 0) >= end)) return ends;
    await clock.sleep(pause, signal);
  }
}
