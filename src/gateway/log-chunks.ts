import type { LogRange, SessionView } from '../ports/store.ts';

/** What is being sent of logs at present. */
export type OpenLogs = Set<LogChunks>;

/**
 * The entries of a log, read page by page while they are sent. The view belongs to it: it is closed at the end, on a
 * failure, and by whoever returns early, begun or not.
 */
export class LogChunks implements AsyncIterableIterator<readonly Uint8Array[]> {
  readonly #view: SessionView;
  readonly #pages: AsyncIterator<readonly Uint8Array[]>;
  readonly #open: OpenLogs;

  /** `open`: where it is listed until it is closed. */
  constructor(view: SessionView, range: LogRange, open: OpenLogs) {
    this.#view = view;
    this.#pages = view.log(range)[Symbol.asyncIterator]();
    this.#open = open;
    open.add(this);
  }

  async next(): Promise<IteratorResult<readonly Uint8Array[]>> {
    try {
      const page = await this.#pages.next();
      if (page.done === true) await this.#close();
      return page;
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<readonly Uint8Array[]>> {
    await this.#pages.return?.();
    await this.#close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #close(): Promise<void> {
    this.#open.delete(this);
    await this.#view.close();
  }
}
