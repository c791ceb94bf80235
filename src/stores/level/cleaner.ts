import type { Key } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Turns } from '../../turns/turns.ts';
import { decodeGarbage } from './garbage.ts';
import { EntryKeys, type EntryRange, garbageRange, parseGarbageKey } from './keys.ts';

/** Entries removed at once: a step must be over before a commit notices it. */
const stepEntries = 1_000;
const markersAtOnce = 100;
/** After each step the cleaner rests this many times as long as the step took. */
const restFactor = 4;

/** Entries to be removed at once, and the marker of their generation where they are its last. */
interface Piece {
  readonly range: EntryRange;
  readonly entries: number;
  readonly marker: Key | undefined;
}

/**
 * Removes the entries of generations that are no longer part of any log, in bounded, unsynced steps with rests
 * between them. What is to do stands in the database as markers, written with the commit that made the garbage, so
 * nothing is forgotten in a crash: the marker goes last, and LevelDB keeps the order of writes.
 *
 * A step grows by as many entries as were written since the one before, and there is no rest while those are many.
 * So however short-lived logs are, garbage cannot outgrow what is kept.
 */
export class Cleaner {
  readonly #database: Database;
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  readonly #stopping = new AbortController();
  #work: Promise<void> | undefined;
  #more = false;
  /** Entries written since the last step. */
  #written = 0;

  /**
   * Each step takes one of the `turns` that commits take too: after a failed write LevelDB must not be written again,
   * so none may follow before the failure is known. `failed` is told what stopped the cleaning, within that turn.
   */
  constructor(database: Database, turns: Turns, clock: Clock, failed: (error: unknown) => void) {
    this.#database = database;
    this.#turns = turns;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** There may be garbage: starts unless it is at work already. */
  wake(): void {
    if (this.#stopping.signal.aborted) return;
    this.#more = true;
    this.#work ??= this.#run();
  }

  /** So many entries were written, each of which will be garbage one day. */
  noteWritten(entries: number): void {
    if (this.#work !== undefined) this.#written += entries;
  }

  /** Resolves once there is no garbage left, or the cleaner was stopped. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /**
   * Starts no other step. Called within a turn, so none is under way; waiting here for one that waits for its own turn
   * would never end.
   */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    try {
      while (this.#more && !this.#stopping.signal.aborted) {
        this.#more = false;
        await this.#cleanAll();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#work = undefined;
    }
  }

  async #cleanAll(): Promise<void> {
    const pieces = this.#pieces();
    for (let next = await pieces.next(); next.done !== true && !this.#stopping.signal.aborted; ) {
      let started = 0;
      let written = 0;
      await this.#step(async () => {
        started = this.#clock.elapsed();
        written = this.#written;
        this.#written = 0;
        let left = stepEntries + written;
        while (next.done !== true && left > 0 && !this.#stopping.signal.aborted) {
          await this.#remove(next.value);
          left -= next.value.entries + 1;
          next = await pieces.next();
        }
      });
      if (written < stepEntries) await this.#rest(this.#clock.elapsed() - started);
    }
  }

  /** All garbage, in the order of its markers. */
  async *#pieces(): AsyncGenerator<Piece, void> {
    const { gt, lt } = garbageRange;
    let after: Key = gt;
    for (;;) {
      const markers = await this.#database.iterator({ gt: after, lt, limit: markersAtOnce }).all();
      if (markers.length === 0) return;
      for (const [marker, value] of markers) {
        yield* piecesOf(marker, decodeGarbage(value));
        after = marker;
      }
    }
  }

  async #remove({ range, marker }: Piece): Promise<void> {
    await this.#database.clear(range);
    if (marker !== undefined) await this.#database.del(marker);
  }

  async #step(write: () => Promise<void>): Promise<void> {
    await this.#turns.take(async () => {
      try {
        await write();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #fail(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#failed(error);
  }

  async #rest(stepMilliseconds: number): Promise<void> {
    const { signal } = this.#stopping;
    // Whoever stops the cleaner interrupts its rest; that is no failure.
    await this.#clock.sleep(stepMilliseconds * restFactor, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

function* piecesOf(marker: Key, entries: number): Generator<Piece, void> {
  const { session, generation } = parseGarbageKey(marker);
  const keys = new EntryKeys(session, generation);
  for (let from = 0; from < entries; from += stepEntries) {
    const isLast = from + stepEntries >= entries;
    yield {
      range: keys.range(from, from + stepEntries),
      entries: Math.min(stepEntries, entries - from),
      marker: isLast ? marker : undefined,
    };
  }
}
