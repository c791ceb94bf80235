import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printText, readText } from '../../../src/cli/safe-text.ts';

test.each([
  ['64344ad1-8bf0-4d52-9b5f-21e07da2c3d2', '64344ad1-8bf0-4d52-9b5f-21e07da2c3d2'],
  ['größe 漢字 🦊', 'größe 漢字 🦊'],
  ['a\u001b[31mb', '"a\\u001b[31mb"'],
  ['line\nbreak', '"line\\nbreak"'],
  ['a\u009bb', '"a\\u009bb"'],
  ['abc\u202exyz', '"abc\\u202exyz"'],
  ['a\u2028b', '"a\\u2028b"'],
  ['"quoted"', '"\\"quoted\\""'],
  [' a', '" a"'],
  ['', '""'],
])('%j is printed as %s', (text, printed) => {
  expect(printText(text)).toBe(printed);
});

test('what is printed holds nothing that a terminal acts on, and is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const printed = printText(text);
      expect(printed).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(readText(printed)).toBe(text);
    }),
  );
});
