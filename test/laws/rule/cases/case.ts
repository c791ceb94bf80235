import type { SessionFacts } from '../facts.ts';
import type { NaiveDelivery } from '../naive-delivery.ts';

/**
 * One law of the table, as a story: what is delivered, one at a time, and what each delivery counts as. Counts are
 * written as `applied 3, drained 2`; a count of one is left out. `after` says how the session stands at the end.
 */
export interface Case {
  readonly law: string;
  readonly steps: readonly (readonly [NaiveDelivery, string])[];
  readonly after?: Partial<SessionFacts>;
  /** The session that `after` speaks of. */
  readonly session?: string;
}
