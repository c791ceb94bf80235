import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wireLimits } from '../../../src/domain/command.ts';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import type { NumberedContent } from '../../../src/domain/delivery.ts';
import { digestBytes, shortDigestBytes } from '../../../src/domain/digest.ts';
import { decodeCursor, decodeCursorVersion, encodeCursor } from '../../../src/domain/encoding/cursor.ts';
import { decodeFiled, encodeFiled } from '../../../src/domain/encoding/filed.ts';
import {
  decodeParkedCommand,
  decodeParkedHeader,
  encodeParkedCommand,
  encodeParkedHeader,
} from '../../../src/domain/encoding/parked.ts';
import { decodeStoredPosition, encodeStoredPosition } from '../../../src/domain/encoding/position.ts';
import { decodeTotals, encodeTotals } from '../../../src/domain/encoding/totals.ts';
import { type ErrorCode, errorDefinitions, isPersistenceError } from '../../../src/domain/errors.ts';
import { encodeMessage } from '../../../src/domain/message.ts';
import { deadLetterReasons, type ParkedHeader } from '../../../src/domain/plan.ts';
import { parkedCommand as asParked } from '../../../src/domain/rule/session-draft.ts';
import { emptyTotals, totalCounts } from '../../../src/domain/totals.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { append, numbered } from '../../support/commands.ts';
import { parkedCommandOfFormatOne, parkedHeaderOfFormatOne } from '../../support/parked-format-one.ts';

const count = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme' });
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const bytes = fc.uint8Array({ maxLength: 300 });
const latin1 = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array).toString('latin1'));
const digest = latin1(digestBytes);
const position = fc.record({ partition: count, offset: count });

const cursor = fc.record({
  presence: fc.constantFrom('unknown', 'known', 'deleted'),
  epoch: count,
  writer: optional(text),
  first: count,
  last: count,
  recent: fc.nat({ max: wireLimits.rememberedDigests }).chain((digests) => latin1(digests * shortDigestBytes)),
  earlier: fc.array(fc.record({ epoch: count, writer: optional(text), first: count, last: count }), { maxLength: 16 }),
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
const code = fc.constantFrom(...(Object.keys(errorDefinitions) as ErrorCode[]));
const header = { sequence: count, epoch: count, writer: text, digest, bytes: count, refusal: optional(code) };
const parkedHeader = fc.record(header);
const parkedCommand = fc.record({ ...header, position, message: bytes });
const deadLetter = fc.record({
  kind: fc.constant('dead letter'),
  id: text,
  reason: fc.constantFrom(...deadLetterReasons),
  detail: text,
  refusal: optional(fc.record({ code, message: text })),
  session: optional(text),
  epoch: optional(count),
  writer: optional(text),
  sequence: optional(count),
  position,
  message: bytes,
});
const decision = fc.record({
  kind: fc.constant('decision'),
  id: text,
  session: text,
  epoch: count,
  sequence: count,
  by: text,
  reason: text,
  position,
});

interface Codec {
  readonly name: string;
  readonly values: fc.Arbitrary<unknown>;
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const totals = fc.record({
  ...(Object.fromEntries(totalCounts.map((name) => [name, count])) as Record<
    (typeof totalCounts)[number],
    typeof count
  >),
  deadLetters: fc.record(Object.fromEntries(deadLetterReasons.map((reason) => [reason, count]))),
});

const codecs: readonly Codec[] = [
  { name: 'cursor', values: cursor, encode: encodeCursor, decode: decodeCursor },
  { name: 'parked header', values: parkedHeader, encode: encodeParkedHeader, decode: decodeParkedHeader },
  { name: 'parked command', values: parkedCommand, encode: encodeParkedCommand, decode: decodeParkedCommand },
  { name: 'filed record', values: fc.oneof(deadLetter, decision), encode: encodeFiled, decode: decodeFiled },
  {
    name: 'stored position',
    values: fc.record({ next: count, digest }),
    encode: encodeStoredPosition,
    decode: decodeStoredPosition,
  },
  { name: 'record of totals', values: totals, encode: encodeTotals, decode: decodeTotals },
];

describe.each(codecs)('the codec of a $name', ({ values, encode, decode }) => {
  test('gives back every value', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value as never))).toEqual(value);
      }),
    );
  });

  test('refuses every record that is cut short or goes on', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, at) => {
        const whole = encode(value as never);
        expect(corrupt(decode, whole.subarray(0, at % whole.length))).toBe(true);
        expect(corrupt(decode, Buffer.concat([whole, Buffer.of(at)]))).toBe(true);
      }),
    );
  });

  test('refuses another format version', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 255 }), (value, version) => {
        const other = Buffer.from(encode(value as never));
        fc.pre(version !== other[0]);
        other[0] = version;
        expect(corrupt(decode, other)).toBe(true);
      }),
    );
  });

  test('reads other bytes as something of its kind or refuses them as STORE_CORRUPT, and never throws anything else', () => {
    const readable = (garbage: Uint8Array) => {
      const refused = corrupt(decode, garbage);
      expect(refused || decode(garbage) !== undefined).toBe(true);
    };
    fc.assert(fc.property(bytes, readable));
    for (const format of [1, 2])
      fc.assert(fc.property(bytes, (rest) => readable(Buffer.concat([Buffer.of(format), rest]))));
  });
});

test('the version of a cursor is read alone', () => {
  fc.assert(
    fc.property(cursor, (value) => {
      expect(decodeCursorVersion(encodeCursor(value as unknown as Cursor))).toBe(value.version);
    }),
  );
  expect(corrupt(decodeCursorVersion, Buffer.of())).toBe(true);
  expect(corrupt(decodeCursorVersion, Buffer.of(1, 0x80))).toBe(true);
});

describe('what is parked in format 1, which told nowhere what it will be refused for', () => {
  const position = { partition: 3, offset: 2 ** 40 };
  const commands = [append(300, 'm'), { ...append(2, 'm'), id: 'not-the-id' }, numbered('macp.log.append.v1', 2, '{}')];
  const refusals = [undefined, 'INVALID_ATTRIBUTE', 'INVALID_DATA'];
  const parked = commands.map((command) => {
    const message = encodeBinary(command);
    return asParked(decodeBinary(message) as NumberedContent, position, new Uint8Array(encodeMessage(message)));
  });

  test('is read as a command that tells it from its message', () => {
    expect(parked.map(({ refusal }) => refusal)).toEqual(refusals);
    expect(parked.map((command) => decodeParkedCommand(parkedCommandOfFormatOne(command)))).toEqual(parked);
  });

  test('is read as the header of a valid command', () => {
    for (const { sequence, epoch, writer, digest, bytes } of parked) {
      const header = { sequence, epoch, writer, digest, bytes, refusal: undefined };
      expect(decodeParkedHeader(parkedHeaderOfFormatOne(header))).toEqual(header);
    }
  });

  test('is refused as STORE_CORRUPT where its message cannot be read', () => {
    for (const command of parked) {
      expect(corrupt(decodeParkedCommand, parkedCommandOfFormatOne({ ...command, message: Buffer.of(9) }))).toBe(true);
    }
  });
});

test('a code that nobody defines is refused', () => {
  const [command] = fc.sample(parkedHeader, 1);
  const unknown = { ...command, refusal: 'NO_SUCH_CODE' } as unknown as ParkedHeader;
  expect(corrupt(decodeParkedHeader, encodeParkedHeader(unknown))).toBe(true);
});

test('no total below 0 is written', () => {
  const refused = { ...emptyTotals().deadLetters, refused: -1 };
  expect(() => encodeTotals({ ...emptyTotals(), sessions: -1 })).toThrow(TypeError);
  expect(() => encodeTotals({ ...emptyTotals(), deadLetters: refused })).toThrow(TypeError);
});

test('a cursor with 16 digests and a usual writer takes less than 200 bytes', () => {
  const usual = { ...initialCursor, writer: '//agents.example/writer/0a1b2c3d4e5f', recent: 'd'.repeat(128) } as Cursor;
  expect(encodeCursor({ ...usual, last: 123_456, entries: 123_456, version: 123_456 } as Cursor).length).toBeLessThan(
    200,
  );
});

function corrupt(decode: (bytes: Uint8Array) => unknown, garbage: Uint8Array): boolean {
  try {
    decode(garbage);
    return false;
  } catch (error) {
    if (isPersistenceError(error, 'STORE_CORRUPT')) return true;
    throw error;
  }
}
