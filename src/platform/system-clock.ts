import { setTimeout as wait } from 'node:timers/promises';
import { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(milliseconds, signal) {
    try {
      await wait(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (cause) {
      throw new PersistenceError('ABORTED', 'the wait was given up', { cause });
    }
  },
};
