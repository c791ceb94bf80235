import { ExpansionError, GrowingOutput } from './growing-output.ts';

const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a50;
const versionBits = 0xc0;
const version = 0x40;
const linkedBlocks = 0x20;
const blockChecksum = 0x10;
const contentSize = 0x08;
const contentChecksum = 0x04;
const dictionary = 0x01;
const storedBlock = 0x80000000;
/** How far back a match may reach. */
const windowBytes = 65_536;

/**
 * LZ4 frames (https://github.com/lz4/lz4, lz4_Frame_format.md and lz4_Block_format.md), one after another. Their own
 * checksums are passed over: the batch's checksum stands above them all. Written here because no codec in JavaScript
 * checks what it is told before it copies.
 */
export function expandLz4(input: Buffer, limit: number): Buffer {
  const output = new GrowingOutput(limit, input.length * 4);
  for (let at = 0; at < input.length; ) at = expandFrame(input, at, output);
  return output.bytes();
}

/** Returns where the frame ends. */
function expandFrame(input: Buffer, start: number, output: GrowingOutput): number {
  const magic = word(input, start);
  if ((magic & 0xfffffff0) >>> 0 === skippableMagic) return past(input, start + 8 + word(input, start + 4));
  if (magic !== frameMagic) throw new ExpansionError('it is no LZ4 frame');
  const flags = input[start + 4] ?? 0;
  if ((flags & versionBits) !== version) throw new ExpansionError('it is of an unknown version of LZ4');
  if (flags & dictionary) throw new ExpansionError('it needs a dictionary');
  const isLinked = (flags & linkedBlocks) === 0;
  const frameStart = output.length;
  // Behind the flags stand the size of blocks, the size of all and a checksum: none of them is needed.
  let at = start + 7 + (flags & contentSize ? 8 : 0);
  for (;;) {
    const size = word(input, at);
    at += 4;
    if (size === 0) break;
    const length = size % storedBlock;
    const end = past(input, at + length);
    if (size >= storedBlock) output.literal(input, at, length);
    else expandBlock(input, at, end, output, isLinked ? frameStart : output.length);
    at = end + (flags & blockChecksum ? 4 : 0);
  }
  return past(input, at + (flags & contentChecksum ? 4 : 0));
}

/** Sequences of literals and a match; the last one has no match. Matches reach back to `start` at most. */
function expandBlock(input: Buffer, from: number, end: number, output: GrowingOutput, start: number): void {
  let at = from;
  const long = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      if (at >= end) throw new ExpansionError('it is cut short');
      const byte = input[at] ?? 0;
      at += 1;
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (at < end) {
    const token = input[at] ?? 0;
    at += 1;
    const literals = long(token >>> 4);
    if (at + literals > end) throw new ExpansionError('it is cut short');
    output.literal(input, at, literals);
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw new ExpansionError('it is cut short');
    const distance = input.readUInt16LE(at);
    at += 2;
    output.match(distance, long(token & 15) + 4, Math.max(start, output.length - windowBytes));
  }
}

function word(input: Buffer, at: number): number {
  if (at + 4 > input.length) throw new ExpansionError('it is cut short');
  return input.readUInt32LE(at);
}

function past(input: Buffer, end: number): number {
  if (end > input.length) throw new ExpansionError('it is cut short');
  return end;
}
