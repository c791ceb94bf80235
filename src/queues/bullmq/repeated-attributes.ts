import type { MessageHeader } from '../../domain/message.ts';
import { headerOf } from './job-events.ts';

/** What stood at a place among the attributes of an event before. */
interface Place {
  /** The whole attribute, `"name":"value"`, or what stands before its value. */
  readonly text: Uint8Array;
  readonly header: string;
  /** To be handed out again; undefined where only the name repeats. */
  readonly whole: MessageHeader | undefined;
}

/** Of these hardly two events have the same. */
const ownAttributes: ReadonlySet<string> = new Set(['id', 'subject', 'macpsequence', 'time', 'traceparent']);
/** Longer attributes and places beyond are read anew each time: whoever invents them must not fill the memory. */
const mostBytes = 128;
const mostPlaces = 64;

const quote = 0x22;

/**
 * Reads the attributes of events. Most events have the same names in the same order, and many the same values, such as
 * type and writer: what stood at the same place before is compared first, and handed out again where it is the same.
 */
export class RepeatedAttributes {
  readonly #places: (Place | undefined)[] = [];

  /** The attributes between two places, each `"name":"value"` with nothing escaped and a byte behind it. */
  read(bytes: Buffer, start: number, end: number): readonly MessageHeader[] {
    const headers: MessageHeader[] = [];
    let at = start;
    while (at < end) {
      const place = this.#places[headers.length];
      const isKnown = place !== undefined && standsAt(bytes, at, place.text);
      if (isKnown && place.whole !== undefined) {
        headers.push(place.whole);
        at += place.text.length + 1;
        continue;
      }
      const valueAt = isKnown ? at + place.text.length : endOfText(bytes, at + 1) + 3;
      const valueEnd = endOfText(bytes, valueAt);
      const header = isKnown ? place.header : this.#note(bytes, headers.length, at, valueAt, valueEnd);
      headers.push([header, bytes.subarray(valueAt, valueEnd)]);
      at = valueEnd + 2;
    }
    return headers;
  }

  /** Remembers copies, because a job is nothing that should be kept. Returns the name of the header. */
  #note(bytes: Buffer, index: number, start: number, valueAt: number, valueEnd: number): string {
    const name = bytes.toString('utf8', start + 1, valueAt - 3);
    const header = headerOf(name);
    if (index >= mostPlaces || valueEnd - start > mostBytes) return header;
    const isOwn = ownAttributes.has(name);
    const text = new Uint8Array(bytes.subarray(start, isOwn ? valueAt : valueEnd + 1));
    const whole: MessageHeader = [header, new Uint8Array(bytes.subarray(valueAt, valueEnd))];
    this.#places[index] = { text, header, whole: isOwn ? undefined : whole };
    return header;
  }
}

function endOfText(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] !== quote) at += 1;
  return at;
}

function standsAt(bytes: Buffer, at: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text[index]) return false;
  return true;
}
