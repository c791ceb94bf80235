import fc from 'fast-check';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { encodeRequest } from '../../../src/redis/request.ts';

const argument = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
);

test('a request is, byte for byte, what the library would write', () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 30 }), (args) => {
      const expected = Buffer.from(new Command('SET', args).toWritable({}));
      expect(Buffer.compare(encodeRequest('SET', args), expected)).toBe(0);
    }),
  );
});

test('lengths around every power of ten are written as they are', () => {
  for (const length of [0, 1, 9, 10, 11, 99, 100, 999, 1_000, 99_999, 100_000, 1_000_000]) {
    const request = encodeRequest('X', [Buffer.alloc(length, 'y')]).toString('latin1');
    expect(request).toBe(`*2\r\n$1\r\nX\r\n$${length}\r\n${'y'.repeat(length)}\r\n`);
  }
});
