/** Time, passed in so that whole runs can be simulated. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go backwards, for measuring. */
  elapsed(): number;
  /** Resolves after `milliseconds`. Rejects with `ABORTED` as soon as `signal` is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
