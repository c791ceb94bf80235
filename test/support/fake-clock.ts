import { PersistenceError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { turns } from './turns.ts';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** A clock that goes on only when it is told to. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(new PersistenceError('ABORTED', 'the wait was given up'));
      };
      const sleeper: Sleeper = {
        at: this.#now + milliseconds,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Goes on, and wakes whoever sleeps until then, one after the other. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    // Whoever was to sleep does now.
    await turns(3);
    for (;;) {
      const next = [...this.#sleepers].sort((one, other) => one.at - other.at)[0];
      if (next === undefined || next.at > until) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await turns(3);
    }
    this.#now = until;
  }

  /** The process is held up: time passes, and nobody is woken meanwhile. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
