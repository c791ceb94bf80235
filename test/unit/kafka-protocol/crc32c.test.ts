import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c, crc32cByTable } from '../../../src/queues/kafka/protocol/crc32c.ts';

/** The definition itself: one bit at a time. */
function byDefinition(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe.each([
  ['as used', crc32c],
  ['by table', crc32cByTable],
])('the checksum %s', (_, checksum) => {
  // RFC 3720, appendix B.4.
  test.each([
    ['32 bytes of zeroes', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes counting up', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is the published one', (_, bytes, expected) => {
    expect(checksum(bytes)).toBe(expected);
  });

  test('is the one of its definition wherever the bytes lie in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (bytes, shift) => {
        const moved = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
        expect(checksum(moved)).toBe(byDefinition(bytes));
      }),
    );
  });
});

test('the native checksum has a build for the machine that this runs on', () => {
  expect(crc32c).not.toBe(crc32cByTable);
});
