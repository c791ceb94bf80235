import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { expand, prepareCodecs } from '../../../src/queues/kafka/protocol/compression/expand.ts';
import { batchLimits } from '../../../src/queues/kafka/protocol/limits.ts';
import { batchOf, codecs, message, rawBatch, readFrom } from '../../support/record-batches.ts';

beforeAll(prepareCodecs);

const limit = 1024 * 1024;

/** `count` in the bytes that both formats of length use: 255 again and again, and the rest. */
function lengthBytes(count: number): number[] {
  return [...Array(Math.floor(count / 255)).fill(255), count % 255];
}

/** A block of Snappy: its length expanded, then the elements. */
function snappyBlock(length: number, ...elements: readonly (readonly number[])[]): Buffer {
  const varint: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) varint.push((rest & 0x7f) | 0x80);
  return Buffer.from([...varint, rest, ...elements.flat()]);
}

const literal = (text: string): number[] => [(text.length - 1) << 2, ...Buffer.from(text)];
/** `length` from 1 to 64 bytes from `distance` back. */
const copy = (distance: number, length: number): number[] => [((length - 1) << 2) | 2, distance & 0xff, distance >>> 8];
const longCopy = (distance: number, length: number): number[] => [
  ((length - 1) << 2) | 3,
  ...[0, 8, 16, 24].map((shift) => (distance >>> shift) & 0xff),
];
const shortCopy = (distance: number, length: number): number[] => [
  ((distance >>> 8) << 5) | ((length - 4) << 2) | 1,
  distance & 0xff,
];

/** The frames of the Java client around blocks of Snappy. */
function xerial(...blocks: readonly Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([header, ...blocks.flatMap((block) => [uint32(block.length, 'BE'), block])]);
}

function uint32(value: number, order: 'BE' | 'LE'): Buffer {
  const bytes = Buffer.alloc(4);
  if (order === 'BE') bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

/** One sequence of an LZ4 block: literals, and a match unless it is the last. */
function sequence(literals: string, distance?: number, length = 4): Buffer {
  const [first, second] = [Math.min(15, literals.length), Math.min(15, length - 4)];
  const more = first === 15 ? lengthBytes(literals.length - 15) : [];
  const head = [(first << 4) | (distance === undefined ? 0 : second), ...more, ...Buffer.from(literals)];
  if (distance === undefined) return Buffer.from(head);
  return Buffer.from([...head, distance & 0xff, distance >>> 8, ...(second === 15 ? lengthBytes(length - 19) : [])]);
}

/** A frame of Zstandard that promises no length: `count` blocks that each repeat a zero. */
function zstdRuns(count: number, length: number): Buffer {
  const block = (isLast: boolean) => [0, 8, 16].map((shift) => (((length << 3) | 2 | Number(isLast)) >>> shift) & 0xff);
  const blocks = Array.from({ length: count }, (_, index) => [...block(index === count - 1), 0]);
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3, ...blocks.flat()]);
}

const independent = 0x20;

function lz4Frame(flags: number, ...blocks: readonly Buffer[]): Buffer {
  const parts = blocks.flatMap((block) => [uint32(block.length, 'LE'), block]);
  return Buffer.concat([uint32(0x184d2204, 'LE'), Buffer.from([0x40 | flags, 0x40, 0]), ...parts, uint32(0, 'LE')]);
}

/** `{"n":0}{"n":1}` and so on up to 99, and how the reference encoder of Zstandard compresses it. */
const hundred = Array.from({ length: 100 }, (_, n) => JSON.stringify({ n })).join('');
const zstdHundred =
  'KLUv/WAWAmUDALJGEBDApXB2/n+9pV0RkbIBKmYBw/////+ZmZmZGRERERER27Ztu23btiVJkiS3bds2SZIkKSIiIiI+4nKKARAQBMIgY6ggvm7QS3UQEsQPqWrTpS07pkg7CrRPnK0Js2RJVubqU59OVwRICg==';

function text(expanded: Buffer | string): string {
  return typeof expanded === 'string' ? `refused: ${expanded}` : expanded.toString('latin1');
}

describe('what was compressed is expanded', () => {
  test.each<[string, keyof typeof codecs, Buffer, string]>([
    ['nothing compressed', 'none', Buffer.from('abc'), 'abc'],
    ['gzip', 'gzip', gzipSync(hundred), hundred],
    ['plain Snappy', 'snappy', snappyBlock(9, literal('abc'), copy(3, 6)), 'abcabcabc'],
    [
      'Snappy in frames',
      'snappy',
      xerial(snappyBlock(2, literal('ab')), snappyBlock(3, literal('x'), copy(1, 2))),
      'abxxx',
    ],
    ['every kind of copy', 'snappy', snappyBlock(11, literal('ab'), shortCopy(2, 4), longCopy(1, 5)), 'abababbbbbb'],
    ['a long literal', 'snappy', snappyBlock(100, [60 << 2, 99, ...Buffer.alloc(100, 'y')]), 'y'.repeat(100)],
    [
      'a copy of much',
      'snappy',
      snappyBlock(164, [60 << 2, 99, ...Buffer.alloc(100, 'y')], copy(100, 64)),
      'y'.repeat(164),
    ],
    ['LZ4', 'lz4', lz4Frame(independent, Buffer.concat([sequence('abc', 3, 6), sequence('end')])), 'abcabcabcend'],
    ['LZ4 of long runs', 'lz4', lz4Frame(independent, sequence('a'.repeat(400), 1, 700)), 'a'.repeat(1100)],
    ['LZ4 blocks that refer to one another', 'lz4', lz4Frame(0, sequence('abcd'), sequence('', 4, 4)), 'abcdabcd'],
    [
      'LZ4 frames one after another',
      'lz4',
      Buffer.concat([lz4Frame(0, sequence('ab')), lz4Frame(0, sequence('cd'))]),
      'abcd',
    ],
    ['an LZ4 block that is not compressed', 'lz4', storedLz4('abc'), 'abc'],
    ['an LZ4 frame to skip', 'lz4', Buffer.concat([skippable(), lz4Frame(0, sequence('ab'))]), 'ab'],
    ['Zstandard', 'zstd', Buffer.from(zstdHundred, 'base64'), hundred],
    ['Zstandard of unknown length', 'zstd', zstdRuns(2, 5), '\0'.repeat(10)],
  ])('%s', (_, codec, input, expected) => {
    expect(text(expand(codecs[codec], input, limit))).toBe(expected);
  });

  function storedLz4(content: string): Buffer {
    const end = lz4Frame(0);
    const stored = Buffer.concat([uint32(0x80000000 + content.length, 'LE'), Buffer.from(content)]);
    return Buffer.concat([end.subarray(0, 7), stored, end.subarray(7)]);
  }

  function skippable(): Buffer {
    return Buffer.concat([uint32(0x184d2a53, 'LE'), uint32(3, 'LE'), Buffer.from('any')]);
  }

  test('a compressed batch is read as its records', () => {
    const messages = [message('a', '1', { ce_id: 'x' }), message('b', '2')];
    const plain = batchOf(messages);
    const records = gzipSync(plain.subarray(61));
    const compressed = batchOf(messages, { records, attributes: codecs.gzip });
    expect(readFrom(compressed)).toEqual(readFrom(plain));
  });
});

describe('no more is expanded than a batch may hold', () => {
  const mebibyte = 1024 * 1024;
  const run = (length: number) => sequence('a', 1, length);
  const copies = (count: number): Buffer =>
    snappyBlock(1 + 64 * count, literal('a'), ...Array(count).fill(copy(1, 64)));
  const bombs: [keyof typeof codecs, Buffer][] = [
    ['gzip', gzipSync(Buffer.alloc(batchLimits.expandedBytes + 1))],
    ['snappy', xerial(...Array(65).fill(copies(mebibyte / 64)))],
    ['lz4', lz4Frame(0, ...Array(65).fill(run(mebibyte)))],
    ['zstd', zstdRuns(513, 128 * 1024)],
  ];

  test.each(bombs)('a bomb of %s becomes one stretch that names its offsets', (codec, records) => {
    const batch = rawBatch({ baseOffset: 40, lastOffsetDelta: 9, count: 10, attributes: codecs[codec], records });
    const [read, ...others] = readFrom(batch, 40);
    expect(others).toEqual([]);
    if (read?.kind !== 'unreadable') throw new Error(`read as ${read?.kind}`);
    expect([read.firstOffset, read.lastOffset]).toEqual([40, 49]);
    expect(read.reason).toContain(codec);
    expect(read.raw.equals(batch)).toBe(true);
  });

  test('a batch of exactly as much is read', () => {
    const value = Buffer.alloc(batchLimits.expandedBytes - 100);
    const records = batchOf([{ key: undefined, headers: [], value }]).subarray(61);
    const padded = Buffer.concat([records, Buffer.alloc(batchLimits.expandedBytes - records.length)]);
    const batch = rawBatch({ attributes: codecs.gzip, records: gzipSync(padded, { level: 1 }) });
    expect(readFrom(batch)).toMatchObject([{ kind: 'record', value: { length: value.length } }]);
  });

  test.each<[string, keyof typeof codecs, Buffer]>([
    ['a length that Snappy promises', 'snappy', snappyBlock(0xffffffff, literal('a'))],
    ['a literal of 4 GiB', 'snappy', snappyBlock(9, [63 << 2, 0xff, 0xff, 0xff, 0xff])],
    [
      'a literal whose length is negative to 32 bits',
      'snappy',
      snappyBlock(9, literal('a'), [63 << 2, 0xfb, 0xff, 0xff, 0xff]),
    ],
    ['a frame longer than the rest', 'snappy', xerial(snappyBlock(1, literal('a'))).fill(0x7f, 16, 20)],
    ['a frame of less than nothing', 'snappy', xerial(snappyBlock(1, literal('a'))).fill(0xff, 16, 20)],
    ['a copy of what was not there', 'snappy', snappyBlock(5, literal('a'), copy(2, 4))],
    ['a copy of nothing', 'snappy', snappyBlock(5, literal('a'), copy(0, 4))],
    ['a match with what was not there', 'lz4', lz4Frame(0, sequence('a', 9))],
    ['a match beyond its block', 'lz4', lz4Frame(independent, sequence('abcd'), sequence('', 4, 4))],
    ['an LZ4 block longer than the rest', 'lz4', lz4Frame(0, sequence('abcd')).fill(0x7f, 7, 11)],
    ['an LZ4 dictionary', 'lz4', lz4Frame(1, sequence('abcd'))],
    ['another version of LZ4', 'lz4', lz4Frame(0x80, sequence('abcd'))],
    ['what is no Zstandard', 'zstd', Buffer.from('abcdefgh')],
    ['nothing', 'zstd', Buffer.alloc(0)],
  ])('%s is refused', (_, codec, input) => {
    expect(text(expand(codecs[codec], input, limit))).toMatch(/^refused/);
  });
});

describe('whatever a codec is given, it answers', () => {
  const samples: [keyof typeof codecs, Buffer][] = [
    ['gzip', gzipSync(hundred)],
    ['snappy', snappyBlock(15, literal('abc'), copy(3, 6), shortCopy(2, 4), longCopy(4, 2))],
    ['snappy', xerial(snappyBlock(2, literal('ab')), snappyBlock(3, literal('x'), copy(1, 2)))],
    ['lz4', lz4Frame(0, Buffer.concat([sequence('abcdefgh'.repeat(4), 3, 40), sequence('end')]))],
    ['zstd', Buffer.from(zstdHundred, 'base64')],
  ];

  test.each(samples)('%s, cut short anywhere or with any byte changed', (codec, input) => {
    for (let at = 0; at < input.length; at += 1) {
      expand(codecs[codec], input.subarray(0, at), limit);
      for (const change of [0x01, 0x10, 0x80, 0xff]) {
        const hostile = Buffer.from(input);
        hostile[at] = (hostile[at] ?? 0) ^ change;
        const expanded = expand(codecs[codec], hostile, limit);
        expect(expanded.length).toBeLessThanOrEqual(limit);
      }
    }
  });

  test.each(samples)('%s with any bytes behind its beginning', (codec, input) => {
    fc.assert(
      fc.property(fc.nat(24), fc.uint8Array({ maxLength: 200 }), (kept, rest) => {
        const expanded = expand(codecs[codec], Buffer.concat([input.subarray(0, kept), rest]), 4096);
        if (typeof expanded !== 'string') expect(expanded.length).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 500 },
    );
  });
});
