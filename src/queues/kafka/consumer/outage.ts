import type { EventEmitter } from 'node:events';
import type { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { QueueEvents } from '../../../ports/queue.ts';

/** How long, in ms, something has to fail before it counts as an outage: leaders change faster than that. */
const grace = 1_000;

/**
 * Tells of outages, each once: several parts that talk to Kafka report how they fare, and it is available again when
 * none of them fails any more.
 */
export class Outage {
  readonly #clock: Clock;
  readonly #events: EventEmitter<QueueEvents>;
  readonly #failing = new Map<string, number>();
  #since: number | undefined;

  constructor(clock: Clock, events: EventEmitter<QueueEvents>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** `part` failed, for the first time or again. */
  failed(part: string, error: PersistenceError): void {
    const now = this.#clock.elapsed();
    const since = this.#failing.get(part) ?? now;
    this.#failing.set(part, since);
    if (this.#since !== undefined || now - since < grace) return;
    this.#since = since;
    this.#events.emit('unavailable', error);
  }

  /** `part` works, or is not needed any more. */
  over(part: string): void {
    if (!this.#failing.delete(part) || this.#failing.size > 0 || this.#since === undefined) return;
    const milliseconds = this.#clock.elapsed() - this.#since;
    this.#since = undefined;
    this.#events.emit('available', milliseconds);
  }
}
