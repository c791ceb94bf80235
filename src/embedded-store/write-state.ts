import { EventEmitter } from 'node:events';
import type { PersistenceError } from '../domain/errors.ts';

/**
 * `read-only`: the disk is full; reads go on, and the next commit first looks whether there is room again.
 * `failed`: a write or sync failed otherwise; only a new process may write again, from what is on disk.
 */
export type EmbeddedStoreState = 'writable' | 'read-only' | 'failed' | 'closed';

export interface EmbeddedStoreEvents {
  /** The state changed; `cause` is the error that made it so. */
  state: [state: EmbeddedStoreState, cause: PersistenceError | undefined];
}

const successors: Readonly<Record<EmbeddedStoreState, readonly EmbeddedStoreState[]>> = {
  writable: ['read-only', 'failed', 'closed'],
  'read-only': ['writable', 'failed', 'closed'],
  failed: ['closed'],
  closed: [],
};

/** Whether the store may be written. Changed in one place only; what a state does not lead to is ignored. */
export class WriteState {
  readonly events = new EventEmitter<EmbeddedStoreEvents>();
  #state: EmbeddedStoreState = 'writable';
  #cause: PersistenceError | undefined;

  get current(): EmbeddedStoreState {
    return this.#state;
  }

  /** What led to the present state. */
  get cause(): PersistenceError | undefined {
    return this.#cause;
  }

  enter(state: EmbeddedStoreState, cause?: PersistenceError): void {
    if (!successors[this.#state].includes(state)) return;
    this.#state = state;
    this.#cause = cause;
    this.events.emit('state', state, cause);
  }
}
