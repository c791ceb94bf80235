/**
 * Writes the body of a request (https://kafka.apache.org/protocol, "Protocol Primitive Types"). Large byte strings are
 * not copied before {@link finish}.
 */
export class BodyWriter {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#add(1, (bytes) => bytes.writeInt8(value));
  }

  int16(value: number): this {
    return this.#add(2, (bytes) => bytes.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.#add(4, (bytes) => bytes.writeInt32BE(value));
  }

  int64(value: bigint): this {
    return this.#add(8, (bytes) => bytes.writeBigInt64BE(value));
  }

  unsignedVarint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
    return this.raw(Buffer.from([...bytes, rest]));
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  /** STRING or NULLABLE_STRING. */
  text(value: string | undefined): this {
    if (value === undefined) return this.int16(-1);
    const bytes = Buffer.from(value, 'utf8');
    return this.int16(bytes.length).raw(bytes);
  }

  /** COMPACT_STRING or COMPACT_NULLABLE_STRING. */
  compactText(value: string | undefined): this {
    return value === undefined ? this.unsignedVarint(0) : this.compactBytes(Buffer.from(value, 'utf8'));
  }

  /** COMPACT_BYTES or COMPACT_RECORDS. */
  compactBytes(value: Buffer): this {
    return this.unsignedVarint(value.length + 1).raw(value);
  }

  /** The length of a COMPACT_ARRAY, whose items follow. */
  compactLength(length: number): this {
    return this.unsignedVarint(length + 1);
  }

  /** An empty section of tagged fields. */
  noTags(): this {
    return this.unsignedVarint(0);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(length: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.allocUnsafe(length);
    write(bytes);
    return this.raw(bytes);
  }
}
