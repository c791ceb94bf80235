/** Which queue this is. `id` is made once, when the queue is created. */
export interface QueueIdentity {
  readonly id: string;
  readonly layoutVersion: number;
  readonly partitions: number;
}

/**
 * What the queue keeps beside its journal, and the lock that gives it to one process. Losing acknowledged positions
 * only delays retention: the positions in the store decide where consuming starts.
 */
export interface Ledger {
  /** Undefined before the first {@link saveIdentity}. */
  readIdentity(): Promise<QueueIdentity | undefined>;
  /** Durable once resolved. */
  saveIdentity(identity: QueueIdentity): Promise<void>;
  /** By partition the offset of the first record that is not acknowledged; undefined when never saved. */
  readAcknowledged(): Promise<readonly number[] | undefined>;
  /** With `durable`, it survives a power cut once resolved. */
  saveAcknowledged(next: readonly number[], durable: boolean): Promise<void>;
  /** Gives the lock back. */
  close(): Promise<void>;
}

/** Takes the lock of the queue in `directory`. Throws `QUEUE_LOCKED` at once when somebody has it. */
export type OpenLedger = (directory: string) => Promise<Ledger>;
