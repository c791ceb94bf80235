import type { Clock } from '../ports/clock.ts';
import { isLocked } from './owner.ts';

const pause = 250;

export interface StandbyOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once, when somebody else owns what is to be opened. */
  readonly onWaiting: (because: string) => void;
}

/**
 * What `open` opens, as soon as no other process owns it: a lock ends with its process, however that ends. Throws
 * `ABORTED` once `signal` is aborted, and whatever else `open` throws.
 */
export async function whenFree<Opened>(open: () => Promise<Opened>, options: StandbyOptions): Promise<Opened> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await open();
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (isFirst) options.onWaiting(error.message);
    }
    await options.clock.sleep(pause, options.signal);
  }
}
