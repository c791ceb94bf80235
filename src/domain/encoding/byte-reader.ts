import { PersistenceError } from '../errors.ts';

/** Reads what a `ByteWriter` wrote, and throws a RangeError on anything that it cannot have written. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new RangeError('the record is cut short');
    this.#at += 1;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is too large');
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  text(): string {
    return this.#take(this.varint()).toString('utf8');
  }

  /** A byte string as latin1 characters; of exactly `length` bytes where one is given. */
  binary(length?: number): string {
    const found = this.varint();
    if (length !== undefined && found !== length) throw new RangeError(`${found} bytes where ${length} belong`);
    return this.#take(found).toString('latin1');
  }

  /** A copy of the bytes, so that keeping them does not keep the whole record. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#take(this.varint()));
  }

  optional<Value>(read: () => Value): Value | undefined {
    const present = this.byte();
    if (present > 1) throw new RangeError(`presence ${present}`);
    return present === 1 ? read() : undefined;
  }

  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.varint(); left > 0; left -= 1) items.push(read());
    return items;
  }

  /** What follows does not matter. */
  skipRest(): void {
    this.#at = this.#bytes.length;
  }

  /** Nothing may follow the record. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError(`${this.#bytes.length - this.#at} bytes too many`);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('the record is cut short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/**
 * Reads one whole record that starts with its format version: the `newest`, or one from `oldest` on; `read` is told
 * which. Throws `STORE_CORRUPT`, naming `kind`, on bytes that are no such record.
 */
export function readRecord<Value>(
  kind: string,
  newest: number,
  bytes: Uint8Array,
  read: (reader: ByteReader, format: number) => Value,
  oldest: number = newest,
): Value {
  try {
    const reader = new ByteReader(bytes);
    const format = reader.byte();
    if (format < oldest || format > newest) throw new RangeError(`format ${format} where ${newest} belongs`);
    const value = read(reader, format);
    reader.end();
    return value;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PersistenceError('STORE_CORRUPT', `a stored ${kind} cannot be read back: ${cause.message}`, { cause });
  }
}
