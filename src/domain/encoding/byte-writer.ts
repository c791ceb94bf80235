/**
 * Writes binary records into one growing buffer. Integers are unsigned LEB128 varints (7 bits a byte, low bits first),
 * up to 2^53-1; texts and byte strings stand behind their length. Not shared between records: `finish` ends one, and
 * only `restart` begins another.
 */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  /** `sizeHint`: bytes the record will probably take; it grows when they do not suffice. */
  constructor(sizeHint: number) {
    this.#bytes = Buffer.allocUnsafe(sizeHint);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  varint(value: number): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    // Bit operations work on 32 bits only, so what lies above is shifted out by division.
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  /** Text as UTF-8 behind its length in bytes. */
  text(value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8');
  }

  /** A byte string held as latin1 characters, behind its length. */
  binary(value: string): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#at += this.#bytes.write(value, this.#at, value.length, 'latin1');
  }

  /** Bytes behind their length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Bytes whose length the reader learns otherwise. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#at;
  }

  /** Begins another record in the same memory: the one before is gone then. */
  restart(): void {
    this.#at = 0;
  }

  /** `write(value)`, with a byte before it that says whether there is one. */
  optional<Value>(value: Value | undefined, write: (value: Value) => void): void {
    this.byte(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
  }

  /** The record. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
