import { type ErrorCode, PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

export interface LivenessOptions {
  readonly clock: Clock;
  /** Commands that are durable in the queue and not yet persisted. */
  readonly lag: () => Promise<number>;
  /** Milliseconds that commands may wait for without one being persisted. */
  readonly stalledAfter: number;
  /** Milliseconds for which a stalled system tells that it is not ready, before it is given up. */
  readonly grace: number;
}

const whatOthersMend: ReadonlySet<ErrorCode> = new Set(['DISK_FULL', 'QUEUE_UNAVAILABLE', 'STORE_UNAVAILABLE']);

/**
 * Whether a worker gets anywhere:
 *
 *     live <-> stalled -> given up     stalled: commands wait, and none was persisted for `stalledAfter`
 *
 * A worker that waits for room on the disk, or for a queue or store elsewhere that does not answer, is stalled but never
 * given up: starting it again would change nothing, and would end the reads as well. Time in which this process itself stood still counts for nothing.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  /** When something was persisted last, or nothing was left to be persisted. */
  #movedAt: number;
  #waitsFor: ErrorCode | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#movedAt = options.clock.elapsed();
  }

  /** Something was persisted. */
  noteCommitted(): void {
    this.#movedAt = this.#options.clock.elapsed();
    this.#waitsFor = undefined;
  }

  /** Persisting is tried again and again because of this. */
  noteRetrying({ code }: PersistenceError): void {
    this.#waitsFor = code;
  }

  /** What it waited for is there again. */
  noteRecovered(): void {
    this.#movedAt = this.#options.clock.elapsed();
    this.#waitsFor = undefined;
  }

  /** Why the system is stalled, or undefined. */
  get stalledBecause(): string | undefined {
    const idle = this.#idleFor();
    if (idle < this.#options.stalledAfter) return undefined;
    const reason = this.#waitsFor === undefined ? '' : ` (${this.#waitsFor})`;
    return `commands are waiting, and none was persisted for ${Math.round(idle / 1000)} s${reason}`;
  }

  /** Looks again and again until `signal` is aborted. Throws `STALLED` once the system is given up. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, stalledAfter, grace } = this.#options;
    const pause = Math.min(1_000, stalledAfter / 4);
    while (!signal.aborted) {
      // Not waited for: what hangs moves nothing either.
      this.#looking ??= this.#look();
      if (this.#idleFor() >= stalledAfter + grace && !this.#waitsForOthers()) {
        throw new PersistenceError('STALLED', this.stalledBecause ?? 'nothing is persisted any more');
      }
      const start = clock.elapsed();
      await clock.sleep(pause, signal).catch(() => undefined);
      this.#leaveOut(clock.elapsed() - start - pause);
    }
  }

  /** A pause that was longer by so much: the process was stopped, alone or with its machine, and nobody else. */
  #leaveOut(milliseconds: number): void {
    if (milliseconds > 0) this.#movedAt = Math.min(this.#options.clock.elapsed(), this.#movedAt + milliseconds);
  }

  async #look(): Promise<void> {
    try {
      if ((await this.#options.lag()) === 0) this.#movedAt = this.#options.clock.elapsed();
    } catch {
      // A queue or store that does not answer moves nothing: that is what is being counted.
    } finally {
      this.#looking = undefined;
    }
  }

  #waitsForOthers(): boolean {
    return this.#waitsFor !== undefined && whatOthersMend.has(this.#waitsFor);
  }

  #idleFor(): number {
    return this.#options.clock.elapsed() - this.#movedAt;
  }
}
