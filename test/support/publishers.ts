import { PersistenceError } from '../../src/domain/errors.ts';
import type { Writer } from '../../src/domain/identifiers.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { Publisher, type PublisherOptions } from '../../src/publisher/publisher.ts';
import type { WorkedQueue } from './worked-queue.ts';

/** A clock whose pauses are turns of the event loop. */
export const hasty: Clock = {
  now: systemClock.now,
  elapsed: systemClock.elapsed,
  sleep: (_, signal) => systemClock.sleep(0, signal),
};

/** A publisher over a queue that is worked through; its writers are called //test/1, //test/2 and so on. */
export function publisherOf(worked: WorkedQueue, options: Partial<PublisherOptions> = {}): Publisher {
  let writers = 0;
  const newWriter = (): Writer => {
    writers += 1;
    return `//test/${writers}` as Writer;
  };
  return new Publisher({ sink: worked.queue, watch: worked.watch, clock: hasty, newWriter, ...options });
}

/** The code of what a promise rejects with; undefined when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error instanceof PersistenceError ? error.code : String(error);
  }
}
