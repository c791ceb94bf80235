/** What happened in a run. */
export class Counts {
  /** SIGKILLs by what was killed. */
  readonly kills = { workers: 0, brokers: 0, publishers: 0, stores: 0 };
  /** How many commands were acknowledged and not persisted at each of them. */
  readonly inFlight: number[] = [];
  /** Processes that were stopped past the session timeout, and went on. */
  hangs = 0;
  /** Workers that were replaced in order. */
  restarts = 0;
  /** Commands that were handed over to workers once more. */
  redelivered = 0;
  /** Batches that another worker had committed already. */
  outrun = 0;
  /** Duplicates among the commands that workers decided. */
  duplicates = 0;
  /** How often workers found that the store does not answer. */
  retries = 0;
  /** How often the queue refused something of a publisher that it would take later, by the code that it gave. */
  readonly refused = new Map<string, number>();
}
