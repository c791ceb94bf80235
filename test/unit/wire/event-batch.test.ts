import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostBatchEvents, splitEvents } from '../../../src/domain/wire/event-batch.ts';

const split = (text: string): string[] => splitEvents(Buffer.from(text)).map((event) => Buffer.from(event).toString());

describe('a batch of events', () => {
  test('is taken apart into the very bytes of its elements', () => {
    const space = fc.constantFrom('', ' ', '\n', '\t \r\n');
    const elements = fc.array(fc.tuple(space, fc.json({ noUnicodeString: false }), space));
    fc.assert(
      fc.property(elements, space, (parts, around) => {
        const batch = `${around}[${parts.map((part) => part.join('')).join(',')}${parts.length === 0 ? around : ''}]${around}`;
        expect(split(batch)).toEqual(parts.map(([, json]) => json));
      }),
    );
  });

  test('keeps numbers and escapes as they were written', () => {
    expect(split('[{"a": 0.0} ,{"b":"\\u00e9"},18446744073709551615]')).toEqual([
      '{"a": 0.0}',
      '{"b":"\\u00e9"}',
      '18446744073709551615',
    ]);
  });

  test.each(['', '{}', '[', '[1', '[1,', '[1,]', '[,1]', '[1 2]', '[1]]', '[1] x', '[{"a":}]', '[\u0000]'])(
    'refuses %j, which is no JSON array',
    (text) => {
      expect(() => split(text)).toThrow(expect.objectContaining({ code: 'INVALID_EVENT' }));
    },
  );

  test('holds no more events than a bounded memory can remember', () => {
    const batch = (count: number): string => `[${Array.from({ length: count }, () => 1).join(',')}]`;
    expect(split(batch(mostBatchEvents))).toHaveLength(mostBatchEvents);
    expect(() => split(batch(mostBatchEvents + 1))).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
  });

  test('refuses what is not UTF-8', () => {
    expect(() => splitEvents(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]))).toThrow(/UTF-8/);
  });
});
