import { addTally, deadLetterCount, emptyTally } from '../domain/rule/tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommittedBatch } from '../ports/telemetry.ts';

const slotMilliseconds = 5_000;
const slots = 12;

/** What a worker has done since it started, and how fast it was during the last minute. */
export class Activity {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #tally = emptyTally();
  /** Deliveries of each five seconds of the last minute, by the number of that stretch. */
  readonly #recent = new Map<number, number>();
  #deliveries = 0;
  #commits = 0;
  #latestAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.elapsed();
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  get commits(): number {
    return this.#commits;
  }

  get deadLetters(): number {
    return deadLetterCount(this.#tally);
  }

  /** Milliseconds since the last commit; undefined before the first. */
  get sinceCommit(): number | undefined {
    return this.#latestAt === undefined ? undefined : this.#clock.elapsed() - this.#latestAt;
  }

  /** Deliveries a second, over the last minute at most. */
  get rate(): number {
    const now = this.#clock.elapsed();
    this.#forget(now);
    const oldest = (slotOf(now) - slots + 1) * slotMilliseconds;
    const seconds = (now - Math.max(oldest, this.#startedAt)) / 1000;
    const deliveries = [...this.#recent.values()].reduce((sum, count) => sum + count, 0);
    return seconds > 0 ? deliveries / seconds : 0;
  }

  noteCommitted({ deliveries, tally }: CommittedBatch): void {
    const now = this.#clock.elapsed();
    addTally(this.#tally, tally);
    this.#deliveries += deliveries;
    this.#commits += 1;
    this.#latestAt = now;
    this.#forget(now);
    this.#recent.set(slotOf(now), (this.#recent.get(slotOf(now)) ?? 0) + deliveries);
  }

  #forget(now: number): void {
    for (const slot of this.#recent.keys()) if (slot <= slotOf(now) - slots) this.#recent.delete(slot);
  }
}

function slotOf(milliseconds: number): number {
  return Math.floor(milliseconds / slotMilliseconds);
}
