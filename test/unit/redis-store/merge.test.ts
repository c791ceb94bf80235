import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeSorted, type ReadOn } from '../../../src/stores/redis/merge.ts';

function reader(items: readonly number[], asked: number[]): ReadOn<number> {
  return async (after, count) => {
    asked.push(count);
    return items.filter((item) => after === undefined || item > after).slice(0, count);
  };
}

const sources = fc
  .uniqueArray(fc.nat({ max: 500 }), { maxLength: 120 })
  .chain((all) =>
    fc.tuple(fc.constant(all), fc.array(fc.nat({ max: 6 }), { minLength: all.length, maxLength: all.length })),
  );

test('several sorted sources are read as one, to any limit', async () => {
  await fc.assert(
    fc.asyncProperty(sources, fc.integer({ min: 1, max: 130 }), async ([all, places], limit) => {
      const parts = Array.from({ length: 7 }, (_, part) =>
        all.filter((_item, index) => places[index] === part).sort((one, other) => one - other),
      );
      const merged = await mergeSorted(
        parts.map((part) => reader(part, [])),
        limit,
        (one, other) => one - other,
      );
      expect(merged).toEqual([...all].sort((one, other) => one - other).slice(0, limit));
    }),
  );
});

test('of many sources only a share is asked for', async () => {
  const asked: number[] = [];
  const readers = Array.from({ length: 200 }, (_, part) =>
    reader(
      Array.from({ length: 100 }, (_item, index) => index * 200 + part),
      asked,
    ),
  );
  const merged = await mergeSorted(readers, 1_000, (one, other) => one - other);
  expect(merged).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
  expect(asked.reduce((sum, count) => sum + count, 0)).toBeLessThan(4_000);
});
