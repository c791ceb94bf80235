import { gunzipSync } from 'node:zlib';
import { ExpansionError } from './growing-output.ts';
import { expandLz4 } from './lz4.ts';
import { expandSnappy } from './snappy.ts';
import { expandZstd, prepareZstd } from './zstd.ts';

interface Codec {
  readonly name: string;
  /** `input` expanded, in memory of its own. Throws {@link ExpansionError} for what is damaged or beyond `limit`. */
  readonly expand: (input: Buffer, limit: number) => Buffer;
}

/** By the number that the attributes of a record batch hold (KIP-110, and the protocol's page on record batches). */
const codecs: readonly (Codec | undefined)[] = [
  { name: 'none', expand: (input) => input },
  { name: 'gzip', expand: expandGzip },
  { name: 'snappy', expand: expandSnappy },
  { name: 'lz4', expand: expandLz4 },
  { name: 'zstd', expand: expandZstd },
];

/** Has every codec ready: to be awaited once before anything is expanded. */
export function prepareCodecs(): Promise<void> {
  return prepareZstd();
}

/** `input` expanded to `limit` bytes at most, or, as a text, why it cannot be. */
export function expand(codec: number, input: Buffer, limit: number): Buffer | string {
  const known = codecs[codec];
  if (known === undefined) return `its codec ${codec} is unknown`;
  try {
    return known.expand(input, limit);
  } catch (error) {
    if (error instanceof ExpansionError) return `it is compressed with ${known.name}, and ${error.message}`;
    throw error;
  }
}

function expandGzip(input: Buffer, limit: number): Buffer {
  try {
    return gunzipSync(input, { maxOutputLength: limit });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    throw new ExpansionError(isTooLarge ? `it expands beyond ${limit} bytes` : 'it is damaged', { cause: error });
  }
}
