/** Runs pieces of work one after another, in the order in which they were asked for. */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  #pending = 0;

  /** True while nobody has a turn or waits for one. */
  get areIdle(): boolean {
    return this.#pending === 0;
  }

  /** Runs `work` once everything before it has settled; settles as it does. */
  take<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#pending += 1;
    const settled = (): void => {
      this.#pending -= 1;
    };
    const turn = this.#last.then(work);
    this.#last = turn.then(settled, settled);
    return turn;
  }
}
