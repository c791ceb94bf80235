/** Lets things be done one after the other, in the order in which they were asked for. */
export class Turns {
  #latest: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** True while nobody has a turn or waits for one. */
  get areIdle(): boolean {
    return this.#pending === 0;
  }

  /** Runs `use` once all before it have ended, however they ended. */
  take<Result>(use: () => Promise<Result>): Promise<Result> {
    this.#pending += 1;
    const result = this.#latest.then(use).finally(() => {
      this.#pending -= 1;
    });
    this.#latest = result.catch(() => undefined);
    return result;
  }
}
