import { isUtf8 } from 'node:buffer';
import { bytesMember, bytesOf, textMember } from './job-events.ts';

/** Where an event stands in what was read of its job. */
export interface EventBounds {
  /** Of its attributes, as they stand in the job: `"name":"value"` with nothing escaped, each with a comma behind it. */
  readonly start: number;
  /** Where its data begins, which ends with the event and is what it is, neither escaped nor encoded. */
  readonly data: number;
  readonly end: number;
}

export interface ReadText {
  readonly bytes: Buffer;
  readonly events: readonly EventBounds[];
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const head = Buffer.from('{"events":[', 'latin1');
const tail = Buffer.from(']}', 'latin1');
const separator = Buffer.from('":"', 'latin1');
const textToken = Buffer.from(`"${textMember}":"`, 'latin1');
const bytesToken = Buffer.from(`"${bytesMember}":"`, 'latin1');

/**
 * Reads the text of a job as `eventOf` and `JSON.stringify` write it: nothing between tokens, every member a text,
 * data last, and nothing escaped but ASCII in data. Undefined for any other text, which may
 * be a job all the same. Quicker than `JSON.parse` by what making thousands of strings costs.
 */
export function readJobText(text: Buffer, count: number): ReadText | undefined {
  if (!isUtf8(text)) return undefined;
  const reader = new JobTextReader(text);
  const events: EventBounds[] = [];
  if (!reader.pass(head)) return undefined;
  for (let left = count; left > 0; left -= 1) {
    if (events.length > 0 && !reader.passByte(comma)) return undefined;
    const event = reader.event();
    if (event === undefined) return undefined;
    events.push(event);
  }
  return reader.pass(tail) && reader.isAtEnd ? { bytes: reader.written, events } : undefined;
}

const none = -1;
const unicodeEscape = 0x75;
const asciiDigits = /^00[0-7][0-9a-f]$/i;
/** What the byte behind a backslash means. */
const escapes = Int16Array.from({ length: 256 }, (_, byte) => {
  const index = '"\\/bfnrt'.indexOf(String.fromCharCode(byte));
  return index < 0 ? none : '"\\/\b\f\n\r\t'.charCodeAt(index);
});

/** Bytes between two that mean something, from which on a native copy is quicker than a loop. */
const longRun = 64;

/** Goes through a text and writes anew what is to be kept of it; each method tells whether it found what it passes. */
class JobTextReader {
  readonly #text: Buffer;
  readonly #to: Buffer;
  #at = 0;
  #length = 0;
  // Where these come next, as far as was looked: text in which they are rare is not searched again and again.
  #nextQuote = -1;
  #nextBackslash = -1;

  constructor(text: Buffer) {
    this.#text = text;
    this.#to = Buffer.allocUnsafe(text.length);
  }

  get written(): Buffer {
    return this.#to.subarray(0, this.#length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  passByte(byte: number): boolean {
    if (this.#text[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  pass(token: Uint8Array): boolean {
    if (!this.#standsAt(this.#at, token)) return false;
    this.#at += token.length;
    return true;
  }

  event(): EventBounds | undefined {
    if (!this.passByte(openBrace)) return undefined;
    const from = this.#at;
    const start = this.#length;
    for (;;) {
      const hasText = this.#standsAt(this.#at, textToken);
      if (hasText || this.#standsAt(this.#at, bytesToken)) {
        this.#keep(from, this.#at);
        const data = this.#length;
        const isRead = hasText ? this.pass(textToken) && this.#data() : this.pass(bytesToken) && this.#base64();
        return isRead && this.passByte(closeBrace) ? { start, data, end: this.#length } : undefined;
      }
      if (!this.#attribute()) return undefined;
      if (this.passByte(comma)) continue;
      this.#keep(from, this.#at);
      return this.passByte(closeBrace) ? { start, data: this.#length, end: this.#length } : undefined;
    }
  }

  #attribute(): boolean {
    return this.passByte(quote) && this.#plain() && this.pass(separator) && this.#plain() && this.passByte(quote);
  }

  /** Passes what stands before a quote, unless something in it is escaped. */
  #plain(): boolean {
    const text = this.#text;
    let at = this.#at;
    while (at < text.length && text[at] !== quote && text[at] !== backslash) at += 1;
    this.#at = at;
    return text[at] === quote;
  }

  /** Passes the rest of a string and writes what it says. */
  #data(): boolean {
    const text = this.#text;
    const to = this.#to;
    let at = this.#at;
    let length = this.#length;
    while (at < text.length) {
      const runEnd = Math.min(at + longRun, text.length);
      let byte = text[at] ?? 0;
      while (byte !== quote && byte !== backslash && at < runEnd) {
        to[length] = byte;
        length += 1;
        at += 1;
        byte = text[at] ?? 0;
      }
      if (byte === quote) {
        this.#at = at + 1;
        this.#length = length;
        return true;
      }
      if (byte === backslash) {
        const isUnicode = text[at + 1] === unicodeEscape;
        const meant = isUnicode ? asciiOf(text, at + 2) : (escapes[text[at + 1] ?? 0] ?? none);
        if (meant === none) return false;
        to[length] = meant;
        length += 1;
        at += isUnicode ? 6 : 2;
      } else {
        const end = this.#endOfRun(at);
        length += text.copy(to, length, at, end);
        at = end;
      }
    }
    return false;
  }

  #endOfRun(at: number): number {
    if (this.#nextQuote < at) this.#nextQuote = this.#find(quote, at);
    if (this.#nextBackslash < at) this.#nextBackslash = this.#find(backslash, at);
    return Math.min(this.#nextQuote, this.#nextBackslash);
  }

  #find(byte: number, from: number): number {
    const found = this.#text.indexOf(byte, from);
    return found < 0 ? this.#text.length : found;
  }

  #base64(): boolean {
    const from = this.#at;
    if (!this.#plain()) return false;
    const bytes = bytesOf(this.#text.toString('latin1', from, this.#at));
    if (bytes === undefined) return false;
    this.#length += bytes.copy(this.#to, this.#length);
    return this.passByte(quote);
  }

  #keep(from: number, end: number): void {
    this.#length += this.#text.copy(this.#to, this.#length, from, end);
  }

  #standsAt(at: number, token: Uint8Array): boolean {
    for (let index = 0; index < token.length; index += 1) if (this.#text[at + index] !== token[index]) return false;
    return true;
  }
}

/** The ASCII character that the four digits at `at` write; {@link none} where they write another one. */
function asciiOf(text: Buffer, at: number): number {
  const digits = text.toString('latin1', at, at + 4);
  return asciiDigits.test(digits) ? Number.parseInt(digits, 16) : none;
}
