import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { RecentSessions } from '../../../src/embedded-store/recent-sessions.ts';

const session = (index: number) => `session ${index}` as SessionId;

test('what the cache knows is what was set last, and it never holds more than its capacity', () => {
  const operation = fc.record({ index: fc.nat({ max: 30 }), version: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(operation), (capacity, operations) => {
      const cache = new RecentSessions<number | undefined>(capacity);
      const latest = new Map<SessionId, number | undefined>();
      for (const { index, version } of operations) {
        cache.set(session(index), version);
        latest.set(session(index), version);
        const known = [...latest.keys()].filter((id) => cache.has(id));
        expect(known.length).toBeLessThanOrEqual(capacity);
        // Using one session may make the cache drop another.
        for (const id of known) if (cache.has(id)) expect(cache.get(id)).toBe(latest.get(id));
      }
    }),
  );
});

test('the sessions used last stay, those unused for longest go', () => {
  const cache = new RecentSessions<number | undefined>(8);
  for (let index = 0; index < 100; index += 1) {
    cache.set(session(0), index);
    cache.set(session(index + 1), index);
  }
  expect(cache.get(session(0))).toBe(99);
  expect(cache.has(session(100))).toBe(true);
  expect(cache.has(session(1))).toBe(false);
});

test('a read that a commit overtook is ignored', () => {
  const cache = new RecentSessions<number | undefined>(100);
  const note = cache.startRead();
  cache.set(session(1), 5);
  note(session(1), 4);
  note(session(2), undefined);
  expect(cache.get(session(1))).toBe(5);
  expect(cache.has(session(2))).toBe(true);
});

test('a read is ignored when the cache may have forgotten the commit that overtook it', () => {
  const cache = new RecentSessions<number | undefined>(4);
  const note = cache.startRead();
  cache.set(session(1), 5);
  for (let index = 2; index < 10; index += 1) cache.set(session(index), 1);
  note(session(1), 4);
  expect(cache.has(session(1))).toBe(false);
});

test.each([0, 1, 1.5, -3])('a capacity of %d is a TypeError', (capacity) => {
  expect(() => new RecentSessions<number | undefined>(capacity)).toThrow(TypeError);
});
