import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { patiently } from './patiently.ts';

const longestPause = 50;

/** Resolves once everything that the queue holds at this moment is applied to the store, by whichever worker. */
export async function untilCaughtUp(queue: Queue, store: Store, clock: Clock, signal: AbortSignal): Promise<void> {
  const bounds = [...(await patiently(() => queue.bounds(), clock, signal))].filter(
    ([, { start, end }]) => start < end,
  );
  for (let pause = 1; ; pause = Math.min(longestPause, pause * 2)) {
    const positions = await patiently(() => store.readPositions(queue.source), clock, signal);
    if (bounds.every(([partition, { end }]) => (positions.get(partition)?.next ?? 0) >= end)) return;
    await clock.sleep(pause, signal);
  }
}
