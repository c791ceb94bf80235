import type { Clock } from '../ports/clock.ts';
import type { Polling } from './polling.ts';

/**
 * Bytes that may be read between two looks at the loop without leaving any in the kernel: in one turn, libuv takes up
 * to 32 times 64 KiB from a socket, with TLS half of that at least.
 */
const mostTaken = 512 * 1_024;

/** Dates what arrives on one connection: never later than it truly arrived. */
export class Arrivals {
  readonly #polling: Polling;
  readonly #clock: Clock;
  /** Nothing that is not read yet came before. */
  #floor: number;
  /** Since when the socket has been read; a later poll that brings nothing shows that nothing was there. */
  #watchedSince: number;
  #taken = 0;
  #takenSince: number;

  /** To be made when the connection is accepted: what it brings may have come while it was waiting for that. */
  constructor(polling: Polling, clock: Clock) {
    this.#polling = polling;
    this.#clock = clock;
    this.#floor = polling.since;
    this.#takenSince = polling.since;
    this.#watchedSince = clock.elapsed();
  }

  /** The date of what was read just now: so many bytes as they came from the network. */
  date(bytes: number): number {
    const arrived = this.#bound();
    if (this.#takenSince !== this.#polling.since) {
      this.#takenSince = this.#polling.since;
      this.#taken = 0;
    }
    this.#taken += bytes;
    if (this.#taken >= mostTaken) {
      // More of the same age may lie there still.
      this.#floor = arrived;
      this.#watchedSince = this.#clock.elapsed();
    }
    return arrived;
  }

  /** The socket is not read from now on. */
  paused(): void {
    this.#floor = this.#bound();
    this.#watchedSince = Number.POSITIVE_INFINITY;
  }

  /** The socket is read again. */
  resumed(): void {
    this.#watchedSince = this.#clock.elapsed();
  }

  #bound(): number {
    return this.#polling.since > this.#watchedSince ? this.#polling.since : this.#floor;
  }
}
