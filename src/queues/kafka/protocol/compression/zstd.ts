import { ZSTDDecoder } from 'zstddec';
import { ExpansionError } from './growing-output.ts';

const decoder = new ZSTDDecoder();

/** Has Zstandard ready for {@link expandZstd}, which throws before. */
export function prepareZstd(): Promise<void> {
  return decoder.init();
}

/** What is tried at first when the input does not say how long it gets: most batches take less. */
const firstTry = { bytes: 1024 * 1024, ratio: 16 };

/**
 * Zstandard (RFC 8878) by its reference decoder as WebAssembly: `node:zlib` has it only from Node.js 22.15 on, and
 * which batches can be read must not depend on that. The decoder gets room for `limit` bytes at most and writes nothing
 * beyond it; whatever it finds wrong, it returns nothing.
 */
export function expandZstd(input: Buffer, limit: number): Buffer {
  for (const room of [Math.min(limit, Math.max(firstTry.bytes, input.length * firstTry.ratio)), limit]) {
    const expanded = decoder.decode(input, room);
    if (expanded.length > 0) return Buffer.from(expanded.buffer, expanded.byteOffset, expanded.length);
  }
  throw new ExpansionError(`it is no Zstandard, or expands beyond ${limit} bytes`);
}
