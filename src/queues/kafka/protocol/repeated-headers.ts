import type { MessageHeader } from '../../../domain/message.ts';
import type { ByteCursor } from './byte-cursor.ts';

/** Names and places beyond so many are read anew each time: whoever invents them must not fill the memory. */
const mostNames = 256;
const mostPlaces = 64;
/** What repeats is short; longer names and values are not kept. */
const mostBytes = 128;
/** A place where so many values in a row differed is tried again only now and then: nothing repeats there. */
const patience = 16;
const retryAfter = 256;

interface KnownName {
  readonly bytes: Buffer;
  readonly text: string;
}

/** What stood at a place among the headers of a record before. */
interface Place {
  readonly name: KnownName;
  readonly value: Buffer;
  /** The two, to be handed out again. */
  readonly header: MessageHeader;
  /** How many values in a row were others. */
  misses: number;
}

const noValue = new Uint8Array(0);

/**
 * Reads headers of records. Names repeat from record to record, mostly in the same order, and so do many values, such as
 * type and writer: what stood at the same place before is compared first, and handed out again where it is the same.
 */
export class RepeatedHeaders {
  readonly #places: (Place | undefined)[] = [];
  readonly #known = new Map<string, KnownName>();

  /** The header at which the cursor stands, number `place` of its record. What is no UTF-8 in its name is replaced. */
  read(cursor: ByteCursor, place: number): MessageHeader {
    const name = this.#name(cursor, place);
    const length = cursor.varint();
    if (length < 0) return [name.text, noValue];
    const start = cursor.at;
    cursor.skip(length);
    const before = this.#places[place];
    if (before?.name === name && stands(before.value, cursor.bytes, start, cursor.at)) {
      before.misses = 0;
      return before.header;
    }
    const value = cursor.bytes.subarray(start, cursor.at);
    const isShort = length <= mostBytes && name.bytes.length <= mostBytes;
    if (place < mostPlaces && isShort) this.#places[place] = noted(before, name, value);
    return [name.text, value];
  }

  #name(cursor: ByteCursor, place: number): KnownName {
    const length = cursor.varint();
    const start = cursor.at;
    cursor.skip(length);
    const { bytes, at: end } = cursor;
    const before = this.#places[place]?.name;
    if (before !== undefined && stands(before.bytes, bytes, start, end)) return before;
    if (length > mostBytes) return { bytes: bytes.subarray(start, end), text: bytes.toString('utf8', start, end) };
    const key = bytes.toString('latin1', start, end);
    return this.#known.get(key) ?? this.#learn(key, bytes.subarray(start, end));
  }

  #learn(key: string, bytes: Buffer): KnownName {
    const name = { bytes: Buffer.from(bytes), text: bytes.toString('utf8') };
    if (this.#known.size < mostNames) this.#known.set(key, name);
    return name;
  }
}

/** What is remembered of a place where `value` stood, which was not there before. */
function noted(before: Place | undefined, name: KnownName, value: Buffer): Place {
  if (before?.name === name) {
    before.misses += 1;
    if (before.misses > patience && before.misses % retryAfter !== 0) return before;
  }
  // A copy: the value belongs to a record that nobody should have to keep.
  const kept = Buffer.from(value);
  return { name, value: kept, header: [name.text, kept], misses: before?.name === name ? before.misses : 0 };
}

/** A loop, because names and values that repeat are too short for a native call. */
function stands(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = known;
  if (end - start !== length) return false;
  for (let at = 0; at < length; at += 1) if (known[at] !== bytes[start + at]) return false;
  return true;
}
