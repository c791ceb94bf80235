import { isPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** Something that has to be done by a time of the clock. */
interface Due {
  readonly at: number;
  late(): void;
}

/**
 * Answers that come in time, or what is given instead of them. All have the same time, so one wait for the oldest of
 * them is enough. A result that is there but was not looked at in time, because the process was held up, is late too.
 */
export class TimeLimit {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #signal: AbortSignal;
  /** In the order in which they arrived. */
  readonly #due = new Set<Due>();
  #isWatching = false;

  /** `milliseconds`: how long an answer may take. `signal`: ends all watching, and with it all limits. */
  constructor(clock: Clock, milliseconds: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#signal = signal;
  }

  /** The result of `work` on what arrived at `arrived` of {@link Clock.elapsed}, or that of `late` as soon as it is late. */
  within<Result>(arrived: number, work: Promise<Result>, late: () => Result): Promise<Result> {
    const at = arrived + this.#milliseconds;
    return new Promise((resolve, reject) => {
      const due: Due = { at, late: () => resolve(late()) };
      this.#due.add(due);
      work.then((result) => {
        if (this.#due.delete(due)) resolve(this.#clock.elapsed() > at ? late() : result);
      }, reject);
      void this.#watch();
    });
  }

  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    try {
      for (let oldest = first(this.#due); oldest !== undefined; oldest = first(this.#due)) {
        const rest = oldest.at - this.#clock.elapsed();
        if (rest > 0) await this.#clock.sleep(Math.ceil(rest), this.#signal);
        else if (this.#due.delete(oldest)) oldest.late();
      }
    } catch (error) {
      if (!isPersistenceError(error, 'ABORTED')) throw error;
    } finally {
      this.#isWatching = false;
    }
  }
}

function first<Item>(items: ReadonlySet<Item>): Item | undefined {
  for (const item of items) return item;
  return undefined;
}
