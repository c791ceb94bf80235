/** What is wrong with compressed bytes: never anything but the bytes' own fault. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError';
}

/**
 * Bytes that are expanded by copies from a compressed input and from what was written before, as LZ77 codecs do.
 * Grows as it is written to, because no length that the input names is to be believed, and never beyond its limit.
 */
export class GrowingOutput {
  readonly #limit: number;
  #bytes: Buffer;
  #length = 0;

  /** `expected`: how many bytes are likely; only so many are taken at first. */
  constructor(limit: number, expected: number) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(expected, 1024)));
  }

  get length(): number {
    return this.#length;
  }

  /** Everything written so far, in memory of its own. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends `input[from, from + length)`. */
  literal(input: Uint8Array, from: number, length: number): void {
    if (from + length > input.length) throw new ExpansionError('it is cut short');
    this.#reserve(length);
    const bytes = this.#bytes;
    if (length <= 32) for (let at = 0; at < length; at += 1) bytes[this.#length + at] = input[from + at] ?? 0;
    else bytes.set(input.subarray(from, from + length), this.#length);
    this.#length += length;
  }

  /** Appends `length` bytes that begin `distance` back, but not before `start`; they may run into themselves. */
  match(distance: number, length: number, start: number): void {
    const end = this.#length;
    if (distance === 0 || distance > end - start) throw new ExpansionError('it refers to what does not exist');
    this.#reserve(length);
    const bytes = this.#bytes;
    if (length > 32 && distance >= length) bytes.copyWithin(end, end - distance, end - distance + length);
    else for (let at = end; at < end + length; at += 1) bytes[at] = bytes[at - distance] ?? 0;
    this.#length += length;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#limit) throw new ExpansionError(`it expands beyond ${this.#limit} bytes`);
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
