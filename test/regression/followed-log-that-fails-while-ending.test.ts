import { afterEach, beforeEach, expect, test } from 'vitest';
import { PersistenceError } from '../../src/domain/errors.ts';
import { eventStream } from '../../src/http-server/event-stream.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { FollowedEvent } from '../../src/ports/service.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
});

// Another event was asked for although nobody would wait for it any more: its failure ended the process.
test.each([0, 1])('a log that fails once its following is over, after %i events, fails nobody', async (told) => {
  const ending = new AbortController();
  let asked = 0;
  const events: AsyncIterable<FollowedEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        asked += 1;
        if (asked <= told) return { done: false, value: { kind: 'reset', generation: asked } };
        throw new PersistenceError('STORE_UNAVAILABLE', 'gone');
      },
    }),
  };
  const stream = eventStream(events, systemClock, ending.signal);
  for (let parts = 0; parts <= told; parts += 1) await stream.next();
  ending.abort();
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
  expect(asked).toBe(told);
});
