import { JsonReader, JsonSyntaxError } from './json-reader.ts';

const lineFeed = 0x0a;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** serde_json reads no deeper documents; each level more would make every line longer. */
const deepest = 128;

/**
 * The compact JSON text `bytes` as serde_json's pretty printer lays it out: two spaces a level, one element a line,
 * `": "`, empty containers closed at once, no line feed at the end. Numbers and strings keep their bytes, and
 * `compactJson` gives back `bytes`. Undefined when `bytes` is no such text: not JSON, white space between tokens, or
 * more than 128 containers in one another.
 */
export function prettyJson(bytes: Uint8Array): Buffer | undefined {
  return isCompactJson(bytes) ? laidOut(bytes) : undefined;
}

/** True when {@link prettyJson} gives a text. */
export function hasPrettyForm(bytes: Uint8Array): boolean {
  return isCompactJson(bytes) && layOut(bytes, undefined) !== undefined;
}

function laidOut(bytes: Uint8Array): Buffer | undefined {
  const length = layOut(bytes, undefined);
  if (length === undefined) return undefined;
  const pretty = Buffer.allocUnsafe(length);
  layOut(bytes, pretty);
  return pretty;
}

function isCompactJson(bytes: Uint8Array): boolean {
  const reader = new JsonReader(bytes);
  try {
    reader.value();
    reader.finish();
    return reader.spaces === 0;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}

/** Writes the layout into `target`, or only measures it. The number of bytes; undefined when it nests too deep. */
function layOut(bytes: Uint8Array, target: Buffer | undefined): number | undefined {
  let at = 0;
  let depth = 0;
  const breakLine = (): void => {
    if (target !== undefined) {
      target[at] = lineFeed;
      target.fill(space, at + 1, at + 1 + 2 * depth);
    }
    at += 1 + 2 * depth;
  };
  const put = (byte: number): void => {
    if (target !== undefined) target[at] = byte;
    at += 1;
  };
  for (let from = 0; from < bytes.length; from += 1) {
    const byte = bytes[from] ?? 0;
    if (byte === quote) {
      const end = endOfString(bytes, from);
      target?.set(bytes.subarray(from, end), at);
      at += end - from;
      from = end - 1;
    } else if (byte === openBrace || byte === openBracket) {
      put(byte);
      const next = bytes[from + 1] ?? 0;
      if (next === closeBrace || next === closeBracket) {
        put(next);
        from += 1;
      } else {
        depth += 1;
        if (depth > deepest) return undefined;
        breakLine();
      }
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      breakLine();
      put(byte);
    } else {
      put(byte);
      if (byte === comma) breakLine();
      else if (byte === colon) put(space);
    }
  }
  return at;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}
