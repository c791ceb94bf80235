import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import { shortDigestBytes } from '../../../src/domain/digest.ts';
import { type CursorJson, cursorFromJson, cursorToJson } from '../../../src/domain/encoding/cursor-json.ts';
import { isPersistenceError } from '../../../src/domain/errors.ts';

const count = fc.maxSafeNat();
const writer = fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined });
const recent = fc
  .nat({ max: 16 })
  .chain((digests) => fc.uint8Array({ minLength: digests * shortDigestBytes, maxLength: digests * shortDigestBytes }))
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

const cursors = fc.record({
  presence: fc.constantFrom('unknown', 'known', 'deleted'),
  epoch: count,
  writer,
  first: count,
  last: count,
  recent,
  earlier: fc.array(fc.record({ epoch: count, writer, first: count, last: count }), { maxLength: 16 }),
  skipped: fc.array(fc.record({ from: count, to: count }), { maxLength: 20 }),
  halted: fc.boolean(),
  refused: fc.boolean(),
  entries: count,
  generation: count,
  compactionBase: count,
  hasReceipt: fc.boolean(),
  hasAnchor: fc.boolean(),
  parkedCommands: count,
  parkedBytes: count,
  filed: count,
  version: count,
});

test('a cursor comes back from its JSON as it was', () => {
  fc.assert(
    fc.property(cursors, (generated) => {
      const cursor = generated as unknown as Cursor;
      expect(cursorFromJson(JSON.parse(JSON.stringify(cursorToJson(cursor))))).toEqual(cursor);
    }),
  );
});

const initial: CursorJson = cursorToJson(initialCursor);

test.each(Object.keys(initial))('JSON without a usable %s is no cursor', (member) => {
  for (const value of [undefined, { other: 1 }, -1, 'x']) {
    // The only member that may hold any text.
    if (member === 'writer' && value === 'x') continue;
    expect(() => cursorFromJson({ ...initial, [member]: value })).toThrow(
      `this is not the JSON of a cursor: ${member}`,
    );
  }
});

test('what is no object is no cursor', () => {
  for (const value of [undefined, null, 1, 'x', [], [initial]]) {
    expect(() => cursorFromJson(value)).toThrow('this is not the JSON of a cursor');
  }
});

test('members that a newer service adds are passed over', () => {
  expect(cursorFromJson({ ...initial, newer: { any: 'thing' } })).toEqual(initialCursor);
});

test('an unusable cursor is an error that nobody retries', () => {
  let thrown: unknown;
  try {
    cursorFromJson({});
  } catch (error) {
    thrown = error;
  }
  expect(isPersistenceError(thrown, 'UNEXPECTED')).toBe(true);
});
