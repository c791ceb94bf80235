import { describe, expect, test } from 'vitest';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { LogCache } from '../../../src/service/log-cache.ts';

const one = 'one' as SessionId;
const other = 'other' as SessionId;

function log(generation: number, bytes: number) {
  return { generation, entries: [new Uint8Array(bytes)] };
}

describe('a cache of logs', () => {
  test('forgets those that were read longest ago, once it holds more bytes than it may', () => {
    const cache = new LogCache(16_000);
    for (let index = 0; index < 20; index += 1) {
      cache.put(`session ${index}` as SessionId, log(1, 500));
      cache.get('session 0' as SessionId);
    }
    const kept = Array.from({ length: 20 }, (_, index) => cache.get(`session ${index}` as SessionId) !== undefined);
    // With 400 bytes of overhead 17 fit: the first, which is read again and again, and the latest 16.
    expect(kept).toEqual([true, ...Array.from({ length: 3 }, () => false), ...Array.from({ length: 16 }, () => true)]);
  });

  test('keeps no log that is large beside all of it', () => {
    const cache = new LogCache(16_000);
    cache.put(one, log(1, 500));
    cache.put(other, log(1, 1_001));
    expect([cache.get(one)?.entries.length, cache.get(other)]).toEqual([1, undefined]);
  });

  test('holds one log a session, the latest', () => {
    const cache = new LogCache(16_000);
    for (let generation = 0; generation < 1_000; generation += 1) cache.put(one, log(generation, 500));
    cache.put(other, log(1, 500));
    expect([cache.get(one)?.generation, cache.get(other)?.generation]).toEqual([999, 1]);
  });

  test('gives back the entries that are to be used from now on: its own, or those that it does not keep', () => {
    const cache = new LogCache(16_000);
    expect(cache.put(one, log(1, 500))).toBe(cache.get(one)?.entries);
    const large = log(1, 1_001);
    expect(cache.put(other, large)).toBe(large.entries);
  });

  test('that may hold nothing holds nothing', () => {
    const cache = new LogCache(0);
    cache.put(one, log(1, 1));
    expect(cache.get(one)).toBeUndefined();
  });
});
