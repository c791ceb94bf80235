/** About how many bytes of a store's records are held at a time. */
const pageBytes = 1024 * 1024;
const mostItems = 1_000;

/**
 * How many items to read next so that about 1 MiB comes: nobody knows how large they are, one may have 16 MiB, and most
 * are small. Starts with few.
 */
export class PageSize {
  #items = 0;
  #bytes = 0;

  get next(): number {
    if (this.#items === 0) return 1;
    // Doubled at most: the first ones may be smaller than the rest.
    return Math.max(1, Math.min(mostItems, this.#items * 2, Math.floor((pageBytes * this.#items) / this.#bytes)));
  }

  /** Takes note of items that were read, of so many bytes. */
  note(items: number, bytes: number): void {
    this.#items += items;
    this.#bytes += Math.max(items, bytes);
  }
}
