/** Runs pieces of work one after another, in the order in which they were asked for. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` once everything before it has settled; settles as it does. */
  take<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.then(settled, settled);
    return turn;
  }
}

function settled(): void {}
