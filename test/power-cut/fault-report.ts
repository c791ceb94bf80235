/** How the programme took one fault of the disk. */
export interface FaultReport {
  /** In the shim's own form. */
  readonly fault: string;
  /** `finished`, `hangs`, or the error that ended it with everything that caused it. */
  readonly outcome: string;
  /** How many effects there were until it ended. */
  readonly effects: number;
  /** What was wrong with what it left behind. */
  readonly complaints: readonly string[];
}
