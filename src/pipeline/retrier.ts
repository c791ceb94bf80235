import { EventEmitter } from 'node:events';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Retrying } from '../ports/telemetry.ts';

/** Delays between attempts, in milliseconds: doubling from `initial` to `maximum`. */
export interface Backoff {
  readonly initial: number;
  readonly maximum: number;
}

/** The delay before retry number `attempt` (from 1), in milliseconds. */
function backoffDelay({ initial, maximum }: Backoff, attempt: number): number {
  return Math.min(maximum, initial * 2 ** (attempt - 1));
}

interface RetrierEvents {
  retrying: [retrying: Retrying];
  recovered: [attempts: number];
}

/** Tries again what failed with a retryable error, with growing delays, for as long as nobody gives up. */
export class Retrier extends EventEmitter<RetrierEvents> {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #givenUp: AbortSignal;

  constructor(clock: Clock, backoff: Backoff, givenUp: AbortSignal) {
    super();
    this.#clock = clock;
    this.#backoff = backoff;
    this.#givenUp = givenUp;
  }

  /** The result of the first attempt that succeeds. Throws what is not retryable, and `ABORTED` once given up. */
  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await operation();
        if (attempt > 1) this.emit('recovered', attempt);
        return result;
      } catch (error) {
        if (!isPersistenceError(error) || !error.retryable) throw error;
        await this.#wait(error, attempt);
      }
    }
  }

  async #wait(error: PersistenceError, attempt: number): Promise<void> {
    const delayMilliseconds = backoffDelay(this.#backoff, attempt);
    const givenUp = () => new PersistenceError('ABORTED', `gave up waiting: ${error.message}`, { cause: error });
    if (this.#givenUp.aborted) throw givenUp();
    this.emit('retrying', { error, attempt, delayMilliseconds });
    await this.#clock.sleep(delayMilliseconds, this.#givenUp).catch(() => {
      throw givenUp();
    });
  }
}
