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
  /** With the length before it. */
  readonly encoded: Uint8Array;
  readonly text: string;
  readonly isShort: boolean;
}

/** What stood at a place among the headers of a record before. */
interface Place {
  readonly name: KnownName;
  /** The whole header as it stands in a record. */
  readonly encoded: Uint8Array;
  /** The same read, to be handed out again. */
  readonly header: MessageHeader;
  /** How many headers in a row were others. */
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
    const before = this.#places[place];
    if (before === undefined) return this.#other(cursor, place, undefined);
    if ((before.misses <= patience || before.misses % retryAfter === 0) && cursor.passIf(before.encoded)) {
      before.misses = 0;
      return before.header;
    }
    return this.#other(cursor, place, before);
  }

  #other(cursor: ByteCursor, place: number, before: Place | undefined): MessageHeader {
    const start = cursor.at;
    const name = before !== undefined && cursor.passIf(before.name.encoded) ? before.name : this.#name(cursor);
    const value = cursor.nullable() ?? noValue;
    const header: MessageHeader = [name.text, value];
    const misses = before?.name === name ? before.misses + 1 : 0;
    if (before !== undefined && misses > patience && misses % retryAfter !== 0) before.misses = misses;
    else if (place < mostPlaces && name.isShort && value.length <= mostBytes) {
      this.#places[place] = noted(cursor, start, name, header, misses);
    }
    return header;
  }

  #name(cursor: ByteCursor): KnownName {
    const start = cursor.at;
    const length = cursor.varint();
    const textAt = cursor.at;
    cursor.skip(length);
    const { bytes, at: end } = cursor;
    const text = (): string => bytes.toString('utf8', textAt, end);
    if (length > mostBytes) return { encoded: bytes.subarray(start, end), text: text(), isShort: false };
    const key = bytes.toString('latin1', start, end);
    return this.#known.get(key) ?? this.#learn(key, bytes.subarray(start, end), text());
  }

  #learn(key: string, encoded: Buffer, text: string): KnownName {
    const name = { encoded: new Uint8Array(encoded), text, isShort: true };
    if (this.#known.size < mostNames) this.#known.set(key, name);
    return name;
  }
}

/** What is remembered of a place where `header` stood: copies, because a record is nothing that should be kept. */
function noted(
  cursor: ByteCursor,
  start: number,
  name: KnownName,
  [text, value]: MessageHeader,
  misses: number,
): Place {
  const encoded = new Uint8Array(cursor.bytes.subarray(start, cursor.at));
  return { name, encoded, header: [text, new Uint8Array(value)], misses };
}
