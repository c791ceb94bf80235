import type { Clock } from '../ports/clock.ts';
import type { Watch } from './polling.ts';
import { Unread } from './unread.ts';

/**
 * Bytes that may be read from one look at the event loop to the next without leaving any in the kernel: in one turn,
 * libuv takes up to 32 times 64 KiB from a socket, with TLS half of that at least.
 */
const mostTaken = 512 * 1_024;

/** Dates the bytes of one connection. */
export class Arrivals {
  readonly #watch: Watch;
  readonly #unread: Unread;
  #taken = 0;
  #takenSince: number;

  /** `connected`: nothing came before. */
  constructor(watch: Watch, clock: Clock, connected: number) {
    this.#watch = watch;
    this.#unread = new Unread(watch, clock, connected);
    this.#takenSince = watch.since;
  }

  /** The date of what was read just now: so many bytes as they came from the network. */
  date(bytes: number): number {
    const arrived = this.#unread.date();
    const { since } = this.#watch;
    this.#taken = bytes + (this.#takenSince === since ? this.#taken : 0);
    this.#takenSince = since;
    if (this.#taken >= mostTaken) this.#unread.left();
    return arrived;
  }

  /** The connection is not read from now on. */
  paused(): void {
    this.#unread.paused();
  }

  /** It is read again. */
  resumed(): void {
    this.#unread.resumed();
  }
}
