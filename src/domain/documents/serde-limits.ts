import type { JsonReader, ValueLimits } from './json-reader.ts';
import { textBetween } from './json-text.ts';
import { ShapeError } from './shape.ts';

/**
 * What serde_json demands of a `Value`: it keeps numbers as doubles and refuses those that would become infinite, and
 * it opens at most `depth` containers.
 */
export function serdeLimits(reader: JsonReader, depth: number): ValueLimits {
  return {
    depth,
    checkNumber: (start, end) => {
      const text = textBetween(reader.bytes, start, end);
      if (Math.abs(Number(text)) > 1e307 && isInfiniteToSerde(text)) {
        throw new ShapeError(start, 'is a number too large for a double');
      }
    },
  };
}

const largestUnsigned = 2n ** 64n - 1n;

/**
 * serde_json (without its feature `float_roundtrip`) multiplies the leading digits that fit 64 bits by a power of
 * ten, which near the largest double becomes infinite a little sooner than exact rounding does.
 */
function isInfiniteToSerde(text: string): boolean {
  const [mantissa = '', exponentText = '0'] = text.replace('-', '').toLowerCase().split(/e(.*)/s);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let kept = digits.slice(0, 20);
  if (BigInt(kept) > largestUnsigned) kept = digits.slice(0, 19);
  const exponent = Number(exponentText) - fraction.length + (digits.length - kept.length);
  return exponent > 308 || Number(BigInt(kept)) * Number(`1e${exponent}`) === Number.POSITIVE_INFINITY;
}
