import type { Clock } from '../../../ports/clock.ts';

/** Tells the group by partition the next offset, within so many milliseconds; resolves with whether it was told. */
type Commit = (next: ReadonlyMap<number, number>, within: number) => Promise<boolean>;

/** At most so often, in ms, the group is told how far its partitions are consumed. */
const interval = 1_000;
/** Most milliseconds that it may take: nothing depends on it. */
const timeout = 1_000;

/**
 * Commits offsets to the group, now and then, for the tools that show how far it is. The positions in the store decide
 * where to go on, so what fails here is only tried again with the next.
 */
export class OffsetCommits {
  readonly #clock: Clock;
  readonly #commit: Commit;
  readonly #waiting = new Map<number, number>();
  readonly #ended = new AbortController();
  #isScheduled = false;

  constructor(clock: Clock, commit: Commit) {
    this.#clock = clock;
    this.#commit = commit;
  }

  /** The partition is consumed up to `next`. */
  note(partition: number, next: number): void {
    if (next <= (this.#waiting.get(partition) ?? -1)) return;
    this.#waiting.set(partition, next);
    if (!this.#isScheduled) void this.#later();
  }

  /** Somebody else consumes these now. */
  forget(partitions: readonly number[]): void {
    for (const partition of partitions) this.#waiting.delete(partition);
  }

  /** Commits what is not committed yet, of these or of all partitions. */
  async flush(partitions: readonly number[] = [...this.#waiting.keys()]): Promise<void> {
    const waiting = new Map([...this.#waiting].filter(([partition]) => partitions.includes(partition)));
    if (waiting.size === 0 || !(await this.#commit(waiting, timeout))) return;
    for (const [partition, next] of waiting) if (this.#waiting.get(partition) === next) this.#waiting.delete(partition);
  }

  /** Commits nothing by itself any more. */
  close(): void {
    this.#ended.abort();
  }

  async #later(): Promise<void> {
    this.#isScheduled = true;
    const { signal } = this.#ended;
    while (this.#waiting.size > 0 && !signal.aborted) {
      await this.#clock.sleep(interval, signal).catch(() => undefined);
      if (!signal.aborted) await this.flush();
    }
    this.#isScheduled = false;
  }
}
