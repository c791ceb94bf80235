import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinLines, keepAsLines } from '../../../src/domain/joined-lines.ts';

const texts = fc.array(fc.uint8Array({ maxLength: 20 }));

function plain(bytes: readonly Uint8Array[]): readonly (readonly number[])[] {
  return bytes.map((text) => [...text]);
}

test('lines are the texts with a line feed after each, kept or not', () => {
  fc.assert(
    fc.property(texts, (some) => {
      const expected = some.flatMap((text) => [...text, 0x0a]);
      expect([...joinLines(some)]).toEqual(expected);
      expect([...joinLines(keepAsLines(some))]).toEqual(expected);
    }),
  );
});

test('what is kept is the same texts, and nothing that happens to the first ones changes it', () => {
  fc.assert(
    fc.property(texts, (some) => {
      const before = plain(some);
      const kept = keepAsLines(some);
      for (const text of some) text.fill(0xff);
      expect(plain(kept)).toEqual(before);
      expect([...joinLines(kept)]).toEqual(before.flatMap((text) => [...text, 0x0a]));
    }),
  );
});

test('a part of what is kept is joined anew', () => {
  const kept = keepAsLines([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
  expect(joinLines(kept.slice(1)).toString()).toBe('b\nc\n');
});

test('lines that are kept are in memory once', () => {
  const kept = keepAsLines([Buffer.from('a'), Buffer.from('b')]);
  expect(joinLines(kept)).toBe(joinLines(kept));
  expect(kept[0]?.buffer).toBe(joinLines(kept).buffer);
  expect(kept[0]?.buffer.byteLength).toBe(4);
});
