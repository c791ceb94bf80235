import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ordinalsOf } from '../../../src/gateway/log-range.ts';

/** What Redis' documentation says of LRANGE, word by word. */
function lrange(list: readonly number[], start: number, stop: number): readonly number[] {
  const first = start < 0 ? Math.max(0, list.length + start) : start;
  const last = stop < 0 ? list.length + stop : Math.min(stop, list.length - 1);
  return list.filter((_, index) => index >= first && index <= last);
}

test('start and stop name the entries that Redis gives, at every edge and beyond', () => {
  const bound = fc.integer({ min: -12, max: 12 });
  fc.assert(
    fc.property(fc.nat(8), bound, bound, (entries, start, stop) => {
      const list = Array.from({ length: entries }, (_, index) => index);
      const { from, to } = ordinalsOf(BigInt(start), BigInt(stop), entries);
      expect(list.slice(from, to)).toEqual(lrange(list, start, stop));
      expect(to).toBeGreaterThanOrEqual(from);
    }),
    { numRuns: 2_000 },
  );
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  expect(ordinalsOf(least, most, 3)).toEqual({ from: 0, to: 3 });
  expect(ordinalsOf(most, least, 3)).toEqual({ from: 0, to: 0 });
});
