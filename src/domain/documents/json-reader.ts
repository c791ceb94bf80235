import { isUtf8 } from 'node:buffer';
import { PersistenceError } from '../errors.ts';

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const openBrace = 0x7b;
const endOfText = -1;

/** Bytes that stand for themselves in a string and are ASCII: everything from U+0020 to U+007F but `"` and `\`. */
const plain = new Uint8Array(256)
  .fill(1, 0x20, 0x80)
  .fill(0, quote, quote + 1)
  .fill(0, backslash, backslash + 1);

/** The values of the hexadecimal digits, -1 for all other bytes. */
const hexadecimal = Int8Array.from({ length: 256 }, (_, byte) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()),
);

const none = new Uint8Array(0);

const literals: ReadonlyMap<number, Uint8Array> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word, 'latin1')]),
);

/** A text that is not JSON. `offset` counts bytes from the start of the text; `expected` says what should stand there. */
export class JsonSyntaxError extends PersistenceError {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string, found: string) {
    super('INVALID_DATA', `byte ${offset}: expected ${expected}, found ${found}`);
    this.offset = offset;
    this.expected = expected;
  }
}

/** What a walk over a value demands beyond the grammar: what serde_json demands of a `serde_json::Value`. */
export interface ValueLimits {
  /** Most containers open at once. */
  readonly depth: number;
  /** Called with the bounds of each number. Throws when it will not do. */
  readonly checkNumber: (start: number, end: number) => void;
}

/**
 * Walks over the bytes of one JSON text (RFC 8259, strictly: no byte order mark, no control characters in strings,
 * UTF-8 only) without building anything. Nesting is unlimited and costs one byte a level. Every method passes one
 * token or value that starts at `at`, white space before it allowed, and throws {@link JsonSyntaxError} when another
 * stands there. {@link finish} must be called in the end: only then the text as a whole is known to be JSON.
 */
export class JsonReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Offset of the next byte. */
  at: number;
  /** Bytes of white space between tokens passed so far: `at - spaces` is the offset in the text without it. */
  spaces = 0;
  #ascii = true;
  #open = none;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Passes white space. The byte after it, or -1 at the end of the text. */
  next(): number {
    if (this.at < this.end) {
      const byte = this.bytes[this.at] ?? endOfText;
      if (byte > 0x20) return byte;
    }
    return this.#afterSpace();
  }

  #afterSpace(): number {
    const from = this.at;
    let byte = endOfText;
    while (this.at < this.end) {
      byte = this.bytes[this.at] ?? endOfText;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      byte = endOfText;
      this.at += 1;
    }
    this.spaces += this.at - from;
    return byte;
  }

  /** Passes the one byte `byte`, which `expected` names for people. */
  expect(byte: number, expected: string): void {
    if (this.next() !== byte) this.fail(expected);
    this.at += 1;
  }

  /** Passes `token`, with no white space before it, if it stands here. */
  passIf(token: Uint8Array): boolean {
    const { bytes, at } = this;
    const length = token.length;
    if (at + length > this.end) return false;
    for (let index = 0; index < length; index += 1) if (bytes[at + index] !== token[index]) return false;
    this.at = at + length;
    return true;
  }

  /** Passes a string. With `wellFormed`, escaped surrogates must come in pairs, as in any Unicode text. */
  text(wellFormed: boolean): void {
    if (this.next() !== quote) this.fail('a string');
    const { bytes, end } = this;
    let at = this.at + 1;
    for (;;) {
      while (at < end && plain[bytes[at] ?? 0] === 1) at += 1;
      const byte = at < end ? (bytes[at] ?? endOfText) : endOfText;
      if (byte === quote) break;
      if (byte === backslash) at = this.#escape(at, wellFormed);
      else if (byte > 0x7f) {
        this.#ascii = false;
        at += 1;
      } else {
        this.fail(byte === endOfText ? 'the end of the string' : 'control characters to be escaped', at);
      }
    }
    this.at = at + 1;
  }

  #escape(at: number, wellFormed: boolean): number {
    switch (this.bytes[at + 1]) {
      case quote:
      case backslash:
      case 0x2f: // /
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return at + 2;
      case 0x75: // u
        break;
      default:
        this.fail('an escape', at);
    }
    const unit = this.#unit(at);
    if (!wellFormed || unit < 0xd800 || unit > 0xdfff) return at + 6;
    const follows = this.bytes[at + 6] === backslash && this.bytes[at + 7] === 0x75 ? this.#unit(at + 6) : 0;
    if (unit > 0xdbff || follows < 0xdc00 || follows > 0xdfff) this.fail('a pair of surrogates', at);
    return at + 12;
  }

  /** The UTF-16 unit that the escape `\uXXXX` at `at` writes. */
  #unit(at: number): number {
    let unit = 0;
    for (let index = at + 2; index < at + 6; index += 1) {
      const digit = hexadecimal[this.bytes[index] ?? 0] ?? -1;
      if (digit < 0) this.fail('four hexadecimal digits', at + 2);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** Passes a number. */
  number(): void {
    if (this.next() === minus) this.at += 1;
    if (this.at < this.end && this.bytes[this.at] === 0x30) this.at += 1;
    else this.#digits();
    if (this.at < this.end && this.bytes[this.at] === point) {
      this.at += 1;
      this.#digits();
    }
    if (this.at < this.end && ((this.bytes[this.at] ?? 0) | 0x20) === 0x65) {
      this.at += 1;
      const sign = this.at < this.end ? this.bytes[this.at] : undefined;
      if (sign === minus || sign === 0x2b) this.at += 1;
      this.#digits();
    }
  }

  #digits(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && isDigit(bytes[at] ?? 0)) at += 1;
    if (at === this.at) this.fail('a digit');
    this.at = at;
  }

  /** Passes one value of any kind and depth. With `limits`, also strings must be well-formed Unicode. */
  value(limits?: ValueLimits): void {
    const strict = limits !== undefined;
    let depth = 0;
    for (;;) {
      const byte = this.next();
      if (byte === openBrace || byte === openBracket) {
        if (strict && depth >= limits.depth) this.fail(`at most ${limits.depth} open containers`);
        this.at += 1;
        this.#remember(depth, byte);
        depth += 1;
        // In ASCII both closing characters stand two places after their opening ones.
        if (this.next() !== byte + 2) {
          if (byte === openBrace) this.#key(strict);
          continue;
        }
      } else {
        this.#scalar(byte, limits);
      }
      depth = this.#close(depth, strict);
      if (depth === 0) return;
    }
  }

  /** After a value: passes what ends here. The number of containers still open; if any, a value is due. */
  #close(depth: number, strict: boolean): number {
    let open = depth;
    while (open > 0) {
      const container = this.#open[open - 1] ?? 0;
      const byte = this.next();
      if (byte !== comma && byte !== container + 2) {
        this.fail(container === openBrace ? '"," or "}"' : '"," or "]"');
      }
      this.at += 1;
      if (byte === comma) {
        if (container === openBrace) this.#key(strict);
        return open;
      }
      open -= 1;
    }
    return open;
  }

  #remember(depth: number, container: number): void {
    if (depth >= this.#open.length) {
      const larger = new Uint8Array(Math.max(64, this.#open.length * 2));
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[depth] = container;
  }

  #key(wellFormed: boolean): void {
    this.text(wellFormed);
    this.expect(colon, '":"');
  }

  #scalar(byte: number, limits: ValueLimits | undefined): void {
    if (byte === quote) {
      this.text(limits !== undefined);
      return;
    }
    const literal = literals.get(byte);
    if (literal !== undefined) {
      if (!this.passIf(literal)) this.fail(`"${Buffer.from(literal).toString('latin1')}"`);
      return;
    }
    if (byte !== minus && !isDigit(byte)) this.fail('a value');
    const start = this.at;
    this.number();
    limits?.checkNumber(start, this.at);
  }

  /** After the last value: only white space may follow, and the whole text must be UTF-8. */
  finish(): void {
    if (this.next() !== endOfText) this.fail('the end of the text');
    if (!this.#ascii && !isUtf8(this.bytes)) {
      throw new JsonSyntaxError(firstInvalidUtf8(this.bytes), 'UTF-8', 'other bytes');
    }
  }

  fail(expected: string, at = this.at): never {
    const byte = at < this.end ? this.bytes[at] : undefined;
    throw new JsonSyntaxError(at, expected, byte === undefined ? 'the end' : describeByte(byte));
  }
}

/** True for the ASCII digits. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function describeByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? JSON.stringify(String.fromCharCode(byte)) : `byte 0x${byte.toString(16)}`;
}

function firstInvalidUtf8(bytes: Uint8Array): number {
  const repaired = Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), 'utf8');
  return bytes.findIndex((byte, index) => byte !== repaired[index]);
}
