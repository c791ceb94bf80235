/**
 * Who goes first among processes that share something, until it is released or has not been renewed for a while. Nothing
 * is guarded by it: a holder that was stopped, or is cut off, goes on until something else stops it.
 */
export interface Lease extends AsyncDisposable {
  /** Lets the next one go. Idempotent. */
  release(): Promise<void>;
}

/** Hands out one lease. */
export interface LeaseOffice extends AsyncDisposable {
  /** Takes it from whoever has it. */
  take(): Promise<Lease>;
  /**
   * Takes it once nobody has it; `onWaiting` is called once when somebody does. Goes on where the office cannot be
   * reached. Rejects with `ABORTED` once `signal` is aborted.
   */
  takeWhenFree(signal: AbortSignal, onWaiting: () => void): Promise<Lease>;
  close(): Promise<void>;
}
