import { expect, test } from 'vitest';
import { ByteCursor } from '../../../src/queues/kafka/protocol/byte-cursor.ts';
import { RepeatedHeaders } from '../../../src/queues/kafka/protocol/repeated-headers.ts';
import { sized } from '../../support/record-batches.ts';

/** True when a header that stands at the same place of three records is kept: the third time it is the same object. */
function isKept(name: string, value: string): boolean {
  const repeated = new RepeatedHeaders();
  const bytes = Buffer.concat([Buffer.from(name), Buffer.from(value)].map(sized));
  const [first, second, third] = [1, 2, 3].map(() => repeated.read(new ByteCursor(bytes), 0));
  for (const read of [first, second, third]) expect(read).toEqual([name, new Uint8Array(Buffer.from(value))]);
  return second === third;
}

test('short headers that repeat are kept', () => {
  expect(isKept('name', 'value')).toBe(true);
  expect(isKept('n'.repeat(128), 'v'.repeat(128))).toBe(true);
});

test('long names and values are read, and not kept: a producer that makes up many must not fill the memory', () => {
  expect(isKept('n'.repeat(129), 'value')).toBe(false);
  expect(isKept('name', 'v'.repeat(129))).toBe(false);
});
