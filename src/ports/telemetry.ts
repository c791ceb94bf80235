import type { PersistenceError } from '../domain/errors.ts';
import type { DeadLetter, PositionStep, SessionChange, Tally } from '../domain/plan.ts';
import type { QueuedDelivery } from './queue.ts';

/**
 * The life of a pipeline:
 *
 *     idle -> running <-> waiting          waiting: the store is down or full; retried with backoff, nothing is taken
 *               |            |
 *               v            v
 *            stopping -> stopped
 *            (any) ----> failed            an error that no retry mends; the process should end
 */
export type PipelineState = 'idle' | 'running' | 'waiting' | 'stopping' | 'stopped' | 'failed';

/** One commit that is durable in the store. */
export interface CommittedBatch {
  readonly deliveries: number;
  /** Bytes of the deliveries as the queue counts them. */
  readonly bytes: number;
  readonly changes: readonly SessionChange[];
  readonly tally: Tally;
  readonly positions: readonly PositionStep[];
  /** From handing the plan to the store until it was durable. */
  readonly milliseconds: number;
}

export interface Retrying {
  readonly error: PersistenceError;
  /** 1 for the first retry. */
  readonly attempt: number;
  readonly delayMilliseconds: number;
}

/** What a pipeline tells about itself; the argument lists of its events. */
export interface PipelineEvents {
  state: [from: PipelineState, to: PipelineState];
  /** Handed over by the queue: what is not committed of it will be handed over again, here or to another worker. */
  taken: [deliveries: readonly QueuedDelivery[]];
  committed: [batch: CommittedBatch];
  /** After the commit that holds it is durable. */
  deadLetter: [letter: DeadLetter];
  retrying: [retrying: Retrying];
  recovered: [attempts: number];
  /** Another worker went on with what this one worked on, or the queue let it down: it starts again from the store. */
  interrupted: [];
  failed: [error: PersistenceError];
}
