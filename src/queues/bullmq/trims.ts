import { isPersistenceError, type PersistenceError, toPersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import { pauseBefore } from '../patience.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { trimScript } from './scripts/shard-scripts.ts';

export interface TrimParts {
  readonly scripts: LayoutScripts;
  readonly clock: Clock;
  readonly onFailed: (error: PersistenceError) => void;
}

/** Where a job ends, and its id. */
export interface JobEnd extends StoredPosition {
  readonly job: string;
}

/** Milliseconds for which closing insists: what is not removed now is removed by whoever comes next. */
const closingPatience = 2_000;

/**
 * Milliseconds between two removals: while little is published, every job would else be removed alone, and a Redis that
 * syncs whatever it changes answers nobody meanwhile.
 */
const pause = 50;

/**
 * Removes jobs that the store has, behind the back of whoever acknowledges them. Only the store's word makes a job
 * removable, so whoever removes it needs to own nothing: a worker that slept may do it late.
 */
export class Trims {
  readonly #parts: TrimParts;
  readonly #waiting = new Map<number, JobEnd>();
  readonly #hurry = new AbortController();
  readonly #closing = new AbortController();
  #work: Promise<void> | undefined;

  constructor(parts: TrimParts) {
    this.#parts = parts;
  }

  /** The store has everything of the shard before that. */
  note(shard: number, end: JobEnd): void {
    if (end.next <= (this.#waiting.get(shard)?.next ?? -1)) return;
    this.#waiting.set(shard, end);
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined;
    });
  }

  /** Resolves once everything noted is removed, or Redis has not answered for some seconds. */
  async close(): Promise<void> {
    const { clock } = this.#parts;
    this.#hurry.abort();
    const settled = new AbortController();
    const late = clock.sleep(closingPatience, settled.signal).then(
      () => this.#closing.abort(),
      () => undefined,
    );
    await this.#work;
    settled.abort();
    await late;
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    const { clock, onFailed } = this.#parts;
    const { signal } = this.#closing;
    for (let attempt = 0; this.#waiting.size > 0 && !signal.aborted; ) {
      try {
        await Promise.all([...this.#waiting].map(([shard, end]) => this.#trim(shard, end)));
        attempt = 0;
        await clock.sleep(pause, this.#hurry.signal).catch(() => undefined);
      } catch (error) {
        if (!isPersistenceError(error) || !error.retryable) return onFailed(toPersistenceError(error));
        attempt += 1;
        await clock.sleep(pauseBefore(attempt), signal).catch(() => undefined);
      }
    }
  }

  async #trim(shard: number, end: JobEnd): Promise<void> {
    const { scripts } = this.#parts;
    const digest = Buffer.from(end.digest, 'latin1');
    await scripts.run(trimScript, [scripts.keys.shard(shard)], [String(end.next), digest, end.job]);
    if (this.#waiting.get(shard) === end) this.#waiting.delete(shard);
  }
}
