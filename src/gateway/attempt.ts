/**
 * One request's chance to write something. It is given up or sent, whichever comes first, and then never the other:
 *
 *     waiting -> sent       from now on it may become durable
 *        |
 *        v
 *     given up              it is certain that it never will
 */
export class Attempt {
  #state: 'waiting' | 'sent' | 'given up' = 'waiting';
  readonly #whenGivenUp = new AbortController();

  get isSent(): boolean {
    return this.#state === 'sent';
  }

  get isGivenUp(): boolean {
    return this.#state === 'given up';
  }

  /** Aborted when it is given up: whatever is waited for on its behalf alone is of no interest then. */
  get whenGivenUp(): AbortSignal {
    return this.#whenGivenUp.signal;
  }

  /** Says that it is sent now. False when it was given up: then it must not be. */
  send(): boolean {
    if (this.#state === 'waiting') this.#state = 'sent';
    return this.#state === 'sent';
  }

  /** Gives it up. False when it was sent already. */
  giveUp(): boolean {
    if (this.#state === 'waiting') {
      this.#state = 'given up';
      this.#whenGivenUp.abort('it was given up');
    }
    return this.#state === 'given up';
  }
}
