/** Bytes that may be held, whoever holds them. */
export class ByteBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Somebody holds so many bytes more, or fewer. Returns false when that is more than there may be. */
  change(bytes: number): boolean {
    this.#held += bytes;
    return bytes <= 0 || this.#held <= this.#most;
  }
}
