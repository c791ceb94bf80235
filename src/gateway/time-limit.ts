import { isPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** Something that has to be done by a time of the clock. */
interface Due {
  readonly at: number;
  isOver: boolean;
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
  /** Ascending by time; what is over is taken out when its time has come. */
  #due: Due[] = [];
  #isWatching = false;
  /** Ends the present wait. */
  #waiting = new AbortController();

  /** `milliseconds`: how long an answer may take. `signal`: once it is aborted what waits is late, and nothing else is. */
  constructor(clock: Clock, milliseconds: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#waiting.abort('nothing is waited for any more'), { once: true });
  }

  /** Until when, of {@link Clock.elapsed}, what arrived at `arrived` may be answered. */
  endOf(arrived: number): number {
    return arrived + this.#milliseconds;
  }

  /** The result of `work` on what arrived at `arrived` of {@link Clock.elapsed}, or that of `late` as soon as it is late. */
  within<Result>(arrived: number, work: Promise<Result>, late: () => Result): Promise<Result> {
    if (this.#signal.aborted) return work;
    const at = this.endOf(arrived);
    return new Promise((resolve, reject) => {
      const due: Due = { at, isOver: false, late: () => resolve(late()) };
      work.then((result) => {
        if (due.isOver) return;
        due.isOver = true;
        resolve(this.#clock.elapsed() > at ? late() : result);
      }, reject);
      this.#add(due);
    });
  }

  #add(due: Due): void {
    // Nearly always the last: requests come in the order in which they arrived, but for those of other connections.
    const index = this.#due.findLastIndex(({ at }) => at <= due.at) + 1;
    this.#due.splice(index, 0, due);
    if (index === 0) this.#waiting.abort('something is due earlier');
    if (!this.#isWatching) void this.#watch();
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting = new AbortController();
      await this.#sleep(Math.ceil(next.at - this.#clock.elapsed()), this.#waiting.signal);
    }
    this.#isWatching = false;
  }

  /** What is due next, after all that is due now was told so. */
  #next(): Due | undefined {
    const now = this.#signal.aborted ? Number.POSITIVE_INFINITY : this.#clock.elapsed();
    const next = this.#due.findIndex(({ at, isOver }) => at > now && !isOver);
    for (const due of this.#due.splice(0, next < 0 ? this.#due.length : next)) {
      if (due.isOver) continue;
      due.isOver = true;
      due.late();
    }
    return this.#due[0];
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(milliseconds, signal);
    } catch (error) {
      if (!isPersistenceError(error, 'ABORTED')) throw error;
    }
  }
}
