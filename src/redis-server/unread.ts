import type { Clock } from '../ports/clock.ts';
import type { Watch } from './polling.ts';

/** Dates what is read of one socket: never later than it arrived, whenever it is read. */
export class Unread {
  readonly #watch: Watch;
  readonly #clock: Clock;
  /** Nothing that is not read yet came before. */
  #floor: number;
  /** Since when it has been read. A poll that began later and brought nothing shows that nothing was there. */
  #watchedSince: number;

  /** A socket that is read from now on, to which nothing came before `floor`. */
  constructor(watch: Watch, clock: Clock, floor: number) {
    this.#watch = watch;
    this.#clock = clock;
    this.#floor = floor;
    this.#watchedSince = clock.elapsed();
  }

  /** What is read in this turn of the event loop came after this time, of `Clock.elapsed`. */
  date(): number {
    return this.#watch.since > this.#watchedSince ? this.#watch.since : this.#floor;
  }

  /** What was read in this turn may not have been all: the rest is as old. */
  left(): void {
    this.paused();
    this.resumed();
  }

  /** It is not read from now on. */
  paused(): void {
    this.#floor = this.date();
    this.#watchedSince = Number.POSITIVE_INFINITY;
  }

  /** It is read again. */
  resumed(): void {
    this.#watchedSince = this.#clock.elapsed();
  }
}
