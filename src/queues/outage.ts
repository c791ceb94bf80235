import type { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** How long, in ms, something has to fail before it counts as an outage: leaders change faster than that. */
const grace = 1_000;

/** Told of outages. */
export interface OutageListener {
  unavailable(error: PersistenceError): void;
  /** It was away for so many milliseconds. */
  available(milliseconds: number): void;
}

/**
 * Tells of outages, each once: several parts that talk to Kafka report how they fare, and it is available again when
 * none of them fails any more.
 */
export class Outage {
  readonly #clock: Clock;
  readonly #listener: OutageListener;
  readonly #failing = new Map<string, number>();
  #since: number | undefined;

  constructor(clock: Clock, listener: OutageListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** `part` failed, for the first time or again. */
  failed(part: string, error: PersistenceError): void {
    const now = this.#clock.elapsed();
    const since = this.#failing.get(part) ?? now;
    this.#failing.set(part, since);
    if (this.#since !== undefined || now - since < grace) return;
    this.#since = since;
    this.#listener.unavailable(error);
  }

  /** `part` works, or is not needed any more. */
  over(part: string): void {
    if (!this.#failing.delete(part) || this.#failing.size > 0 || this.#since === undefined) return;
    const milliseconds = this.#clock.elapsed() - this.#since;
    this.#since = undefined;
    this.#listener.available(milliseconds);
  }
}
