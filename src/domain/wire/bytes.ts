import { isUtf8 } from 'node:buffer';

/** True when the two hold the same bytes. A loop, because the values of one event are too short for a native call. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  const length = one.length;
  if (length !== other.length) return false;
  for (let at = 0; at < length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** True when all bytes are ASCII: quicker than asking a native function about a short value. */
export function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if ((bytes[at] ?? 0) > 0x7f) return false;
  return true;
}

/** `bytes` as a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The UTF-8 text of `bytes`, or undefined when they are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? asBuffer(bytes).toString('utf8') : undefined;
}

const shownCharacters = 64;

/** `bytes` or text for a message to people: quoted, at most 64 characters, what is no UTF-8 replaced. */
export function shown(value: Uint8Array | string): string {
  // Four bytes a character at most: what is cut off here is never shown.
  const text =
    typeof value === 'string' ? value : asBuffer(value.subarray(0, 4 * shownCharacters + 4)).toString('utf8');
  if (text.length <= shownCharacters) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, shownCharacters))} and more (${value.length} in all)`;
}

/**
 * Remembers the text of the bytes it saw last, for values that repeat from event to event, such as the writer of a
 * whole stream. `read` turns other bytes into their text, or undefined when they are not valid; that is not kept.
 */
export class LastSeen<Text extends string> {
  readonly #read: (bytes: Uint8Array) => Text | undefined;
  #bytes = new Uint8Array(0);
  #text: Text | undefined;

  constructor(read: (bytes: Uint8Array) => Text | undefined) {
    this.#read = read;
  }

  of(bytes: Uint8Array): Text | undefined {
    if (this.#text !== undefined && sameBytes(bytes, this.#bytes)) return this.#text;
    const text = this.#read(bytes);
    if (text !== undefined) {
      this.#text = text;
      // A copy: the bytes belong to a record that nobody should have to keep.
      this.#bytes = Uint8Array.prototype.slice.call(bytes);
    }
    return text;
  }
}

const slots = 8_192;

/**
 * Remembers the texts of bytes for values that come again and again among thousands of others, such as the sessions of
 * a topic: quicker than reading them anew, and the text is the same string each time, which maps find sooner. What falls
 * into the place of another displaces it. `read` as with {@link LastSeen}.
 */
export class SeenOften<Text extends string> {
  readonly #read: (bytes: Uint8Array) => Text | undefined;
  readonly #seen: (LastSeen<Text> | undefined)[] = [];

  constructor(read: (bytes: Uint8Array) => Text | undefined) {
    this.#read = read;
  }

  of(bytes: Uint8Array): Text | undefined {
    const slot = slotOf(bytes);
    const seen = this.#seen[slot] ?? new LastSeen(this.#read);
    this.#seen[slot] = seen;
    return seen.of(bytes);
  }
}

/** By the last bytes: ids of all kinds differ there. */
function slotOf(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = length;
  for (let at = Math.max(0, length - 8); at < length; at += 1) hash = Math.imul(hash, 31) + (bytes[at] ?? 0);
  return (hash ^ (hash >>> 13)) & (slots - 1);
}
