import { describe, expect, it } from 'vitest';
import { initialCursor } from '../../../src/domain/cursor.ts';
import type { Sequence, SessionId } from '../../../src/domain/identifiers.ts';
import type { ParkedHeader } from '../../../src/domain/plan.ts';
import { SessionCache } from '../../../src/pipeline/session-cache.ts';

const id = (index: number) => `session-${index}` as SessionId;
const state = (parked = 0) => ({
  cursor: initialCursor,
  parked: new Map(Array.from({ length: parked }, (_, index) => [index as Sequence, {} as ParkedHeader])),
});
const held = (cache: SessionCache, count: number) =>
  Array.from({ length: count }, (_, index) => id(index)).filter((session) => cache.get(session) !== undefined);

describe('the session cache', () => {
  it('holds no more than its capacity however many sessions pass through', () => {
    const cache = new SessionCache(100);
    for (let index = 0; index < 10_000; index += 1) cache.set(id(index), state());
    expect(held(cache, 10_000).length).toBeLessThanOrEqual(100);
    expect(cache.get(id(9_999))).toBeDefined();
  });

  it('keeps what is used again', () => {
    const cache = new SessionCache(100);
    cache.set(id(0), state());
    for (let index = 1; index < 1_000; index += 1) {
      cache.set(id(index), state());
      expect(cache.get(id(0))).toBeDefined();
    }
  });

  it('counts parked headers, so that sessions with many of them do not fill the memory', () => {
    const cache = new SessionCache(1_000);
    for (let index = 0; index < 100; index += 1) cache.set(id(index), state(200));
    expect(held(cache, 100).length).toBeLessThanOrEqual(5);
  });
});
