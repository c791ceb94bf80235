import type { PersistenceError } from '../domain/errors.ts';
import { isDamage } from './damage.ts';

/** How many entries ahead are looked at to see what became of one, and how many bytes of them are held at most. */
export const lookAhead = { entries: 16, bytes: 4 * 1024 * 1024 };

/** The next entries of a log that is read in pages. A log that turns out to be damaged ends there. */
export class EntryWindow {
  readonly #pages: AsyncIterator<readonly Uint8Array[]>;
  #entries: Uint8Array[] = [];
  #isEnded = false;
  /** Why the log could not be read to its end. */
  damage: PersistenceError | undefined;
  /** The ordinal of the next entry. */
  ordinal = 0;

  constructor(log: AsyncIterable<readonly Uint8Array[]>) {
    this.#pages = log[Symbol.asyncIterator]();
  }

  /** Whether another entry follows. */
  async hasNext(): Promise<boolean> {
    await this.#fill(1);
    return this.#entries.length > 0;
  }

  /** Reads on until the entries are there that are looked at ahead, or too large for that. */
  async look(): Promise<void> {
    await this.#fill(lookAhead.entries + 1);
  }

  /** The entry so many after the next one, where it was read. */
  at(distance: number): Uint8Array | undefined {
    return this.#entries[distance];
  }

  /** True where what comes next is damaged. */
  get isBroken(): boolean {
    return this.damage !== undefined && this.#entries.length === 0;
  }

  drop(count: number): void {
    this.#entries.splice(0, count);
    this.ordinal += count;
  }

  /** Exchanges the next entry with the one so many after it. */
  exchange(distance: number): void {
    const [next, later] = [this.#entries[0], this.#entries[distance]];
    if (next === undefined || later === undefined) return;
    this.#entries[0] = later;
    this.#entries[distance] = next;
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }

  async #fill(count: number): Promise<void> {
    while (!this.#isEnded && this.#entries.length < count && this.#heldBytes() < lookAhead.bytes) {
      const page = await this.#nextPage();
      if (page === undefined) this.#isEnded = true;
      else this.#entries = [...this.#entries, ...page];
    }
  }

  async #nextPage(): Promise<readonly Uint8Array[] | undefined> {
    try {
      const { done, value } = await this.#pages.next();
      return done === true ? undefined : value;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.damage = error;
      return undefined;
    }
  }

  #heldBytes(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.length, 0);
  }
}
