/** Bytes end too early, or hold a number that is too large. */
export class MalformedBytes extends RangeError {
  override readonly name = 'MalformedBytes';
}

/** Reads the numbers and byte strings of Kafka's records, never beyond the end of the bytes. */
export class ByteCursor {
  readonly bytes: Buffer;
  at = 0;
  // Views are made of these: `subarray` asks for them each time, and takes three times as long.
  readonly #memory: ArrayBufferLike;
  readonly #offset: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#memory = bytes.buffer;
    this.#offset = bytes.byteOffset;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new MalformedBytes('it is cut short');
    this.at += 1;
    return byte;
  }

  /** A signed number of 32 bits in zigzag encoding (Protocol Buffers, "sint32"). */
  varint(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const value = this.#unsigned(5);
    if (value > 0xffffffff) throw new MalformedBytes('a number is too large');
    return (value >>> 1) ^ -(value & 1);
  }

  /** A signed number of 64 bits in zigzag encoding; rounded where a number of JavaScript cannot hold it. */
  varlong(): number {
    const value = this.#unsigned(10);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.at;
    this.skip(length);
    return new Uint8Array(this.#memory, this.#offset + start, length);
  }

  /** A view of a byte string behind its length, undefined for null, which has length -1. */
  nullable(): Uint8Array | undefined {
    const length = this.varint();
    if (length === -1) return undefined;
    return this.take(length);
  }

  /** Passes over what {@link nullable} reads. */
  skipNullable(): void {
    const length = this.varint();
    if (length !== -1) this.skip(length);
  }

  /** Passes over bytes. */
  skip(length: number): void {
    const end = this.at + length;
    if (length < 0 || end > this.bytes.length) throw new MalformedBytes('it is cut short');
    this.at = end;
  }

  /** Passes over `expected` if it stands here. A loop, because what repeats is too short for a native call. */
  passIf(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    const { length } = expected;
    if (at + length > bytes.length) return false;
    for (let index = 0; index < length; index += 1) if (bytes[at + index] !== expected[index]) return false;
    this.at = at + length;
    return true;
  }

  #unsigned(mostBytes: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < mostBytes; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new MalformedBytes('a number is too large');
  }
}
