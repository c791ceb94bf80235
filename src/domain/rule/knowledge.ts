import type { Cursor } from '../cursor.ts';
import type { Sequence, SessionId } from '../identifiers.ts';
import type { FiledId, ParkedCommand, ParkedHeader, Plan } from '../plan.ts';

/** What the rule has to know of one session before it decides: its cursor, and what is parked. */
export interface SessionState {
  readonly cursor: Cursor | undefined;
  readonly parked: ReadonlyMap<Sequence, ParkedHeader>;
}

/** Everything that deciding a batch may look at, loaded beforehand, so that deciding itself is pure. */
export interface Knowledge {
  /** The state of a session of the batch. */
  state(session: SessionId): SessionState;
  /** Whether the store holds this dead letter or decision. Only asked for sessions whose cursor counts some. */
  isFiled(session: SessionId | undefined, id: FiledId): boolean;
  /** A parked command whole, or undefined when it was not loaded. */
  parkedCommand(session: SessionId, sequence: Sequence): ParkedCommand | undefined;
}

/** Parked commands that a batch turned out to need whole: load them, and plan the same batch again. */
export interface MissingParked {
  readonly session: SessionId;
  readonly sequences: readonly Sequence[];
}

export type PlanResult =
  /** `decided`: how many of the deliveries, from the first, are in the plan. The others belong to a later batch. */
  | { readonly kind: 'planned'; readonly plan: Omit<Plan, 'positions'>; readonly decided: number }
  | { readonly kind: 'missing'; readonly parked: readonly MissingParked[] };
