/** Lets things be done one after the other, in the order in which they were asked for. */
export class Turns {
  #latest: Promise<unknown> = Promise.resolve();

  /** Runs `use` once all before it have ended, however they ended. */
  take<Result>(use: () => Promise<Result>): Promise<Result> {
    const result = this.#latest.then(use);
    this.#latest = result.catch(() => undefined);
    return result;
  }
}
