import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptedEntry, jsonLines } from '../../../src/http-client/json-lines.ts';

async function* once(...chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function linesOf(...chunks: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const page of jsonLines(once(...chunks))) lines.push(...page.map((line) => Buffer.from(line).toString()));
  return lines;
}

test('lines come page by page, whatever chunks they came in', async () => {
  expect(await linesOf('{"a":1}\n{"b"', ':2}\n', '', '{"c":3}', '\n')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  expect(await linesOf()).toEqual([]);
});

test('a stream that ends within a line is an error', async () => {
  await expect(linesOf('{"a":1}\n{"b":')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
});

test('an accepted entry keeps its very bytes', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.json(), (ordinal, json) => {
      const { entry, ...place } = acceptedEntry(Buffer.from(`{"ordinal":${ordinal},"entry":${json}}`));
      expect(place).toEqual({ ordinal });
      expect(Buffer.from(entry).toString()).toBe(json.trim());
    }),
  );
  const verbatim = acceptedEntry(Buffer.from('{"newer":[{}],"entry":{"x":0.0,"y":12345678901234567890},"ordinal":7}'));
  expect(verbatim.ordinal).toBe(7);
  expect(Buffer.from(verbatim.entry).toString()).toBe('{"x":0.0,"y":12345678901234567890}');
});

test.each(['{}', '[]', '{"ordinal":1}', '{"ordinal":1,"entry":{}', 'x'])('%s is no accepted entry', (line) => {
  expect(() => acceptedEntry(Buffer.from(line))).toThrow();
});
