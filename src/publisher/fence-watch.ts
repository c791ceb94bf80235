import { isPersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CursorReader } from './cursor-reader.ts';
import type { Lane } from './lane.ts';
import type { Outbox } from './outbox.ts';

export interface FenceWatchOptions {
  readonly outbox: Outbox;
  readonly cursors: CursorReader;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks. */
const interval = 1_000;
const lookedAtTogether = 1_000;

/**
 * Notices when reigns end, and ends their lanes with `WRITER_FENCED`: once a second the sessions that were written to
 * since are looked at, all together, at most 1,000 of them. Sessions that nobody writes to cost nothing.
 */
export class FenceWatch {
  readonly #options: FenceWatchOptions;
  readonly #active = new Set<Lane>();
  #watching: Promise<void> | undefined;

  constructor(options: FenceWatchOptions) {
    this.#options = options;
  }

  /** The lane was written to. */
  noteSent(lane: Lane): void {
    this.#active.add(lane);
    this.#watching ??= this.#watch();
  }

  /** Nobody writes to the lane any more. */
  forget(lane: Lane): void {
    this.#active.delete(lane);
  }

  /** Looks at a lane's session now. A writer that cannot learn whether it still reigns must not go on. */
  async look(lane: Lane): Promise<void> {
    const { outbox, cursors, signal } = this.#options;
    try {
      const cursor = await cursors.read(lane.session, signal);
      if (lane.isOvertakenIn(cursor)) outbox.fail(lane, lane.fenced(cursor));
    } catch (error) {
      outbox.fail(lane, toPersistenceError(error));
    }
  }

  /** Resolves once it watches no more, which the end of its signal brings about. */
  async settled(): Promise<void> {
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { clock, signal } = this.#options;
    while (this.#active.size > 0 && !signal.aborted) {
      await clock.sleep(interval, signal).catch(ignoreAborted);
      await Promise.all([...this.#taken()].map((lane) => this.look(lane)));
    }
    // Nothing was awaited since nothing was found to be left: whoever writes from now on starts anew.
    this.#watching = undefined;
  }

  *#taken(): Generator<Lane> {
    let taken = 0;
    for (const lane of this.#active) {
      if (taken === lookedAtTogether) return;
      taken += 1;
      this.#active.delete(lane);
      if (lane.failure === undefined) yield lane;
    }
  }
}

function ignoreAborted(error: unknown): void {
  if (!isPersistenceError(error, 'ABORTED')) throw error;
}
