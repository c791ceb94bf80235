import { JsonReader } from './json-reader.ts';

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * The JSON text `bytes` without white space between tokens: the very same array when there is none. Throws
 * {@link JsonSyntaxError} when it is no JSON text (RFC 8259).
 */
export function compactJson(bytes: Uint8Array): Uint8Array {
  const reader = new JsonReader(bytes);
  reader.value();
  reader.finish();
  return removeSpaces(bytes, reader.spaces);
}

/** The valid JSON text `bytes`, known to hold `spaces` bytes of white space between tokens, without them. */
export function removeSpaces(bytes: Uint8Array, spaces: number): Uint8Array {
  if (spaces === 0) return bytes;
  const compact = new Uint8Array(bytes.length - spaces);
  let inString = false;
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte <= 0x20 && !inString) continue;
    compact[length] = byte;
    length += 1;
    if (byte === quote) inString = !inString;
    else if (byte === backslash) {
      at += 1;
      compact[length] = bytes[at] ?? 0;
      length += 1;
    }
  }
  return compact;
}

/** The text of bytes `start` to `end`, which are UTF-8. */
export function textBetween(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end);
}

/** What the JSON string that starts at `start` says, escapes resolved; lone surrogates stay. */
export function decodeText(bytes: Uint8Array, start: number): string {
  const reader = new JsonReader(bytes, start);
  reader.text(false);
  return JSON.parse(textBetween(bytes, start, reader.at)) as string;
}

/** The number that starts at `start`, as a double: whoever needs more digits takes the text. */
export function decodeNumber(bytes: Uint8Array, start: number): number {
  const reader = new JsonReader(bytes, start);
  reader.number();
  return Number(textBetween(bytes, start, reader.at));
}

/** At most 40 characters of `text`, for people. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

const shownSteps = 8;

/**
 * Names the place `offset` of the JSON text `bytes` for people: `raw_payload[3]`, `[7].mode`; empty for the text as
 * a whole. Only the text before `offset` has to be valid. Of a deep place, only the last steps are named. A key that
 * `mayShow` does not know is shown as `*`: it may be a secret.
 */
export function placeOf(bytes: Uint8Array, offset: number, mayShow: (key: string) => boolean): string {
  const { depth } = stepsTo(bytes, offset, Number.POSITIVE_INFINITY);
  const outer = Math.max(0, depth - shownSteps);
  let place = outer > 0 ? '…' : '';
  for (const step of stepsTo(bytes, offset, outer).steps) {
    if (step >= 0) place += `[${step}]`;
    else if (-1 - step < offset) {
      const key = decodeText(bytes, -1 - step);
      place += `${place === '' ? '' : '.'}${mayShow(key) ? key : '*'}`;
    }
  }
  return place;
}

/**
 * How many containers are open at `offset`, and for those after the first `outer` the index of the present element,
 * or -1 minus the offset of the present key (of `offset` itself while there is none). It remembers few steps, because
 * a hostile text may open sixteen million containers.
 */
function stepsTo(bytes: Uint8Array, offset: number, outer: number): { depth: number; steps: readonly number[] } {
  const reader = new JsonReader(bytes);
  const steps: number[] = [];
  let depth = 0;
  let keyDue = false;
  for (;;) {
    const byte = reader.next();
    if (reader.at >= offset) break;
    const present = depth - 1 - outer;
    const step = present >= 0 && present < shownSteps ? steps[present] : undefined;
    if (byte === quote) {
      const end = endOfString(bytes, reader.at);
      if (end > offset) break;
      if (keyDue && step !== undefined) steps[present] = -1 - reader.at;
      keyDue = false;
      reader.at = end;
      continue;
    }
    if (byte === openBrace || byte === openBracket) {
      keyDue = byte === openBrace;
      if (present + 1 >= 0 && present + 1 < shownSteps) steps[present + 1] = keyDue ? -1 - offset : 0;
      depth += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      keyDue = false;
      depth -= 1;
      if (step !== undefined) steps.pop();
    } else if (byte === comma && step !== undefined) {
      keyDue = step < 0;
      steps[present] = keyDue ? -1 - offset : step + 1;
    }
    reader.at += 1;
  }
  return { depth, steps };
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}
