import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, splitLines } from '../../../src/domain/lines.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function linesOf(
  text: string,
  sizes: readonly number[] = [],
  longest?: number,
): Promise<readonly [number, string | undefined][]> {
  const found: [number, string | undefined][] = [];
  const collect = ({ number, bytes }: Line) => found.push([number, bytes && Buffer.from(bytes).toString()]);
  for await (const line of splitLines(chunksOf(Buffer.from(text), sizes), longest)) collect(line);
  return found;
}

test('lines end at line feeds and nowhere else', async () => {
  expect(await linesOf('a\u2028b\u2029c\u0085d\ve\f\rf\nsecond')).toEqual([
    [1, 'a\u2028b\u2029c\u0085d\ve\f\rf'],
    [2, 'second'],
  ]);
});

test('blank lines are left out and counted', async () => {
  expect(await linesOf('\n a\n\r\n \t\nb\n\n')).toEqual([
    [2, ' a'],
    [5, 'b'],
  ]);
});

test('however the input is cut into chunks, the lines are the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('x', '\n', 'ü', '\u2028', ' ')),
      fc.array(fc.nat(5)),
      async (parts, sizes) => {
        const text = parts.join('');
        const expected = text
          .split('\n')
          .flatMap((line, index) => (/^[ \t\r]*$/.test(line) ? [] : [[index + 1, line]]));
        expect(await linesOf(text, sizes)).toEqual(expected);
      },
    ),
  );
});

test('a line that is too long is dropped and told, and those around it are not', async () => {
  expect(await linesOf('abc\nabcdef\nabcd\n', [2, 3, 1, 1], 4)).toEqual([
    [1, 'abc'],
    [2, undefined],
    [3, 'abcd'],
  ]);
});
