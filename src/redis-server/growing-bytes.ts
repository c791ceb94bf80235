const firstBytes = 4_096;

/**
 * Bytes that come in pieces, so many in all. Memory follows what has come, never what was announced, and small pieces
 * leave nothing behind.
 */
export class GrowingBytes {
  readonly #expected: number;
  #bytes: Buffer;
  #length = 0;

  constructor(expected: number) {
    this.#expected = expected;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(expected, firstBytes));
  }

  /** Bytes of memory. */
  get held(): number {
    return this.#bytes.length;
  }

  /** Takes what is still missing out of `chunk`, from `at` on; returns how many bytes that were. */
  take(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#expected - this.#length, chunk.length - at);
    const needed = this.#length + count;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes.set(chunk.subarray(at, at + count), this.#length);
    this.#length = needed;
    return count;
  }

  /** All of them, or undefined while some are missing. */
  whole(): Buffer | undefined {
    return this.#length === this.#expected ? this.#bytes : undefined;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#expected, Math.max(needed, 2 * this.#bytes.length)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
