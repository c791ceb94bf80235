import { type ErrorCode, PersistenceError } from '../domain/errors.ts';

/** An event that cannot be sent, and why. `index` counts the events of the request from 0. */
export interface RefusedEvent {
  readonly index: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

const mostNamed = 100;

/**
 * Events of a request that cannot be sent. Nothing of the request was sent. The code is theirs where all have the same,
 * else `INVALID_INPUT`.
 */
export class EventsRefused extends PersistenceError {
  /** The first of them. */
  readonly errors: readonly RefusedEvent[];
  readonly total: number;

  constructor(refused: readonly [RefusedEvent, ...RefusedEvent[]]) {
    const [{ index, code, detail }] = refused;
    const total = refused.length;
    const what =
      total === 1 ? `event ${index}: ${detail}` : `${total} events, the first of them event ${index}: ${detail}`;
    super(refused.every((other) => other.code === code) ? code : 'INVALID_INPUT', `nothing was sent: ${what}`);
    this.errors = refused.slice(0, mostNamed);
    this.total = total;
  }
}
