import type { Story } from './story.ts';

/** What a publisher process is started with, as JSON in `CHAOS_ORDERS`. */
export interface Orders {
  readonly story: Story;
  /** It writes to the sessions whose index modulo `publishers` is `publisher`. */
  readonly publisher: number;
  readonly publishers: number;
  /**
   * How it goes on for the one before it. `claims`: it claims every session under a fresh name, and numbers on from
   * where it sees them stand. `repeats`: it sends what it does not know to be acknowledged, under the same numbers.
   */
  readonly manner: 'claims' | 'repeats';
  /** It shuts out whoever published under the name of this publisher before. */
  readonly fences: boolean;
  /** Counts the processes that were this publisher, from 1. */
  readonly life: number;
  /** Where acknowledgements are written down before anybody is told of them, one file a life. */
  readonly ledger: string;
  /** The ledgers of the lives before. */
  readonly earlier: readonly string[];
}

/** Lines on standard input: it may have sent so many commands of its share, those of earlier lives included. */
export interface Allowance {
  readonly allow: number;
}

/** Lines on standard output. Counts are of its whole share, earlier lives included. */
export type Told =
  | { readonly told: 'ready' | 'acknowledged' | 'done'; readonly count: number }
  /** It has more to send, and nothing more is taken until something is acknowledged. */
  | { readonly told: 'waits' }
  /** The queue refused something that may be sent again later. */
  | { readonly told: 'refused'; readonly code: string };

/** Commands that a publisher sends without an acknowledgement, at most. */
export const mostUnacknowledged = 500;
