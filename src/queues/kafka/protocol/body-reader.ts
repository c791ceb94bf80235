import { PersistenceError } from '../../../domain/errors.ts';

/** Reads the body of an answer, front to back. What is no such body throws `UNEXPECTED` out of {@link readBody}. */
export class BodyReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.take(2).readInt16BE(0);
  }

  int32(): number {
    return this.take(4).readInt32BE(0);
  }

  int64(): bigint {
    return this.take(8).readBigInt64BE(0);
  }

  unsignedVarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.take(1).readUInt8(0);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 0x10000000) throw new RangeError('a number is too long');
    }
  }

  /** STRING or NULLABLE_STRING. */
  text(): string | undefined {
    const length = this.int16();
    return length < 0 ? undefined : this.take(length).toString('utf8');
  }

  /** COMPACT_STRING or COMPACT_NULLABLE_STRING. */
  compactText(): string | undefined {
    const length = this.unsignedVarint();
    return length === 0 ? undefined : this.take(length - 1).toString('utf8');
  }

  list<Item>(read: () => Item): readonly Item[] {
    return this.#items(this.int32(), read);
  }

  compactList<Item>(read: () => Item): readonly Item[] {
    return this.#items(this.unsignedVarint() - 1, read);
  }

  /** Passes over a section of tagged fields. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left -= 1) {
      this.unsignedVarint();
      this.take(this.unsignedVarint());
    }
  }

  take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError('it is cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #items<Item>(length: number, read: () => Item): readonly Item[] {
    // Every item takes a byte at least: a length that cannot be is not gone through.
    if (length > this.#bytes.length - this.#at) throw new RangeError('a list is longer than the rest');
    return Array.from({ length: Math.max(0, length) }, read);
  }
}

/** What `read` makes of an answer to a request of this name. */
export function readBody<Response>(name: string, payload: Buffer, read: (body: BodyReader) => Response): Response {
  try {
    return read(new BodyReader(payload));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PersistenceError('UNEXPECTED', `an answer to ${name} cannot be read: ${cause.message}`, { cause });
  }
}
