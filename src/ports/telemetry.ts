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

/**
 * The life of a gateway:
 *
 *     idle -> fencing -> catching up -> open -> settling
 *                             ^                    |
 *                             +--------------------+
 *     (any) -> ended
 *
 * Fencing: whoever held the prefix before is shut out. Catching up: the end of every partition was noted, and the store
 * has to reach all of them. Open: requests are answered. Settling: the connection that wrote is gone, was cut because
 * the outcome of a write was not known in time, or gave way to a newer one; until what it sent is known to be durable or
 * not, nothing is answered. The same way leads on from the start as from there. Ended: stopped, or another gateway has
 * taken over, or the queue failed for good.
 */
export type GatewayState = 'idle' | 'fencing' | 'catching up' | 'open' | 'settling' | 'ended';

/** What became of a request. `cut`: no answer was given, and the connection was ended. */
export type GatewayAnswer = 'answered' | 'refused' | 'cut';

/** What a gateway tells about itself; the argument lists of its events. */
export interface GatewayEvents {
  state: [from: GatewayState, to: GatewayState];
  /** Why a connection was ended without an answer. */
  cut: [reason: string];
  /** A request, by its command, and the milliseconds since it arrived. */
  request: [command: string, answer: GatewayAnswer, milliseconds: number];
  failed: [error: PersistenceError];
}
