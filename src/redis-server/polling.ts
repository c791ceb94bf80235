import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

/** Milliseconds from one look to the next: arrivals are dated back by about so much. */
const interval = 10;

/** Tells since when what a socket brings must have arrived. */
export interface Watch {
  /**
   * A time, of `Clock.elapsed`, after which the loop has asked the kernel for all that had come. What is read later was
   * not there at that time, if its socket was being read already.
   */
  readonly since: number;
}

/**
 * Knows when the event loop was last seen polling: since then, whatever a socket that is being read brings must have
 * arrived. A loop that is held up (by computing, by the garbage collector, by a stopped process) is not polling, and
 * what arrives meanwhile is seen late: nothing in Node tells when it came.
 */
export class Polling implements Watch {
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.elapsed();
    this.#watch().catch(() => undefined);
  }

  get since(): number {
    return this.#since;
  }

  /** Idempotent. */
  stop(): void {
    this.#ending.abort();
  }

  async #watch(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      // Wherever in a turn of the loop this begins: between two immediates lies a whole poll.
      await nextTurn();
      const before = this.#clock.elapsed();
      await nextTurn();
      this.#since = before;
      await this.#clock.sleep(interval, this.#ending.signal);
    }
  }
}
