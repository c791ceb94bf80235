import { PersistenceError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

export interface BacklogOptions {
  /** Most bytes of jobs that wait in all shards together. */
  readonly maximumBytes: number;
  /** How many bytes wait in each shard now. */
  readonly read: () => Promise<readonly number[]>;
  readonly clock: Clock;
}

/** Milliseconds between two looks whether there is room again: workers elsewhere make it. */
const lookInterval = 50;

/**
 * How much waits in Redis, as far as this publisher knows, and what of its own is on its way. Several publishers know
 * of each other only what Redis told them last, so that each may add what it has under way.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #waiting = 0;
  #underWay = 0;
  /** Largest publish refused since there was room last. */
  #wanted = 1;
  #isLooking = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Redis told how many bytes wait in each shard. */
  told(bytes: readonly number[]): void {
    this.#waiting = bytes.reduce((sum, one) => sum + one, 0);
  }

  /** Counts `bytes` as under way, or returns why there is no room for them. */
  admit(bytes: number): PersistenceError | undefined {
    if (this.#hasRoom(bytes)) {
      this.#underWay += bytes;
      return undefined;
    }
    this.#wanted = Math.max(this.#wanted, bytes);
    void this.#look();
    return new PersistenceError(
      'QUEUE_FULL',
      `the queue holds ${this.#waiting} unconsumed bytes, with ${this.#underWay} on their way, and ${bytes} more pass ` +
        `its limit of ${this.#options.maximumBytes}`,
    );
  }

  /** `bytes` are under way no more. */
  settle(bytes: number): void {
    this.#underWay -= bytes;
  }

  /** Resolves once what was refused last would be let in; gives up, with `ABORTED`, once `signal` is aborted. */
  async whenWritable(signal: AbortSignal): Promise<void> {
    while (!this.#hasRoom(this.#wanted)) {
      await this.#options.clock.sleep(lookInterval, signal);
      await this.#look();
    }
    this.#wanted = 1;
  }

  /** That Redis does not answer is told to whoever publishes. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.told(await this.#options.read());
    } catch {
      // The next look may succeed.
    } finally {
      this.#isLooking = false;
    }
  }

  #hasRoom(bytes: number): boolean {
    const unconsumed = this.#waiting + this.#underWay;
    return unconsumed === 0 || unconsumed + bytes <= this.#options.maximumBytes;
  }
}
