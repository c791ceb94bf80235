import { Bell } from '../bell.ts';

const mebibyte = 1024 * 1024;
/** Bytes of one shard that are read one after the other. */
export const stretchBytes = 8 * mebibyte;
/** Once so many are held and not taken, nothing more is read. */
const mostHeld = 4 * mebibyte;

/**
 * What is read ahead of all shards together, which share its room. While much waits, one shard at a time is read, a long
 * stretch of it: what is committed together then belongs to fewer sessions, and of each of those one cursor is written.
 */
export class ReadAhead {
  #held = 0;
  #isReading = false;
  readonly #freed = new Bell();

  /** So many bytes were read. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** So many are held no more. */
  release(bytes: number): void {
    this.#held -= bytes;
    if (this.#held < mostHeld) this.#freed.ring();
  }

  /** Resolves once there is room, or `signal` is aborted. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#held >= mostHeld && !signal.aborted) await this.#freed.wait(signal);
  }

  /** Runs `read` once there is room and no other shard is being read by a turn, unless `signal` is aborted first. */
  async turn(signal: AbortSignal, read: () => Promise<void>): Promise<void> {
    while ((this.#isReading || this.#held >= mostHeld) && !signal.aborted) await this.#freed.wait(signal);
    if (signal.aborted) return;
    this.#isReading = true;
    try {
      await read();
    } finally {
      this.#isReading = false;
      this.#freed.ring();
    }
  }
}
