import { badLength, ProtocolError, type SentKind } from './protocol-error.ts';

const zero = 0x30;
const nine = 0x39;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const mostDigits = 10;

/** A line that tells a length: its letter, decimal digits without leading zeros, its end. It may come in pieces. */
export class LengthLine {
  #digits = 0;
  #value = 0;
  #state: 'letter' | 'digits' | 'end' = 'letter';

  get isHalfway(): boolean {
    return this.#state !== 'letter';
  }

  /** Takes the next byte; returns the length when the line is whole. Throws a {@link ProtocolError}. */
  take(byte: number, letter: number, kind: SentKind): number | undefined {
    if (this.#state === 'digits') {
      this.#takeDigit(byte, kind);
      return undefined;
    }
    if (this.#state === 'letter') {
      if (byte !== letter) throw new ProtocolError(`expected '${String.fromCharCode(letter)}'`);
      this.#state = 'digits';
      return undefined;
    }
    if (byte !== lineFeed) throw new ProtocolError(badLength(kind));
    const value = this.#value;
    this.#state = 'letter';
    this.#value = 0;
    this.#digits = 0;
    return value;
  }

  #takeDigit(byte: number, kind: SentKind): void {
    if (byte === carriageReturn && this.#digits > 0) {
      this.#state = 'end';
      return;
    }
    const hasLeadingZero = this.#digits > 0 && this.#value === 0;
    if (byte < zero || byte > nine || hasLeadingZero || this.#digits === mostDigits) {
      throw new ProtocolError(badLength(kind));
    }
    this.#value = 10 * this.#value + (byte - zero);
    this.#digits += 1;
  }
}
