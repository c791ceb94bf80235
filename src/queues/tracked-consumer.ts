import { isPersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { Consumer, QueuedDelivery, TakeLimits } from '../ports/queue.ts';
import { refuseGivenUp } from './refuse-given-up.ts';
import { whileWaiting } from './time-limit.ts';

/** A consumer that can let go of everything in order, before it is closed. */
export interface DrainableConsumer extends Consumer {
  /** Delivers nothing more; resolves once all that was delivered is settled. */
  drain(): Promise<void>;
}

/** A consumer that says when it is closed. */
class TrackedConsumer implements DrainableConsumer {
  readonly #consumer: DrainableConsumer;
  readonly #onClosed: () => void;

  constructor(consumer: DrainableConsumer, onClosed: () => void) {
    this.#consumer = consumer;
    this.#onClosed = onClosed;
  }

  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    return this.#consumer.take(limits, signal);
  }

  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    return this.#consumer.takeNow(limits);
  }

  acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void> {
    return this.#consumer.acknowledge(positions);
  }

  drain(): Promise<void> {
    return this.#consumer.drain();
  }

  async close(): Promise<void> {
    await this.#consumer.close();
    this.#onClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The place of the one consumer that a queue whose partitions a group shares has at a time. */
export class ConsumerPlace {
  /** Aborted when the queue is being closed. */
  readonly #ending: AbortSignal;
  /** There, without a consumer yet, while one is being opened. */
  #current: { readonly consumer: TrackedConsumer | undefined } | undefined;
  /** Settles once the consumer that is being opened is there, or has left the group. */
  #opening: Promise<unknown> = Promise.resolve();

  constructor(ending: AbortSignal) {
    this.#ending = ending;
  }

  /**
   * The consumer that `open` opens, unless there is one already: then it throws a TypeError. `ABORTED` once `signal` is
   * aborted before it is there. `opened` is told of it, with a signal that is aborted when it is closed.
   */
  async take<Opened extends DrainableConsumer>(
    signal: AbortSignal | undefined,
    open: (over: AbortSignal) => Promise<Opened>,
    opened?: (consumer: Opened, closed: AbortSignal) => void,
  ): Promise<Consumer> {
    refuseGivenUp(signal);
    if (this.#current !== undefined) throw new TypeError('this queue is consumed already: close that consumer first');
    this.#current = { consumer: undefined };
    try {
      const opening = whileWaiting([this.#ending, signal], open);
      this.#opening = opening.catch(() => undefined);
      const consumer = await opening;
      const closed = new AbortController();
      opened?.(consumer, closed.signal);
      const tracked = new TrackedConsumer(consumer, () => {
        closed.abort();
        if (this.#current?.consumer === tracked) this.#current = undefined;
      });
      this.#current = { consumer: tracked };
      return tracked;
    } catch (error) {
      this.#current = undefined;
      if (isPersistenceError(error, 'QUEUE_CLOSED') && !this.#ending.aborted) refuseGivenUp(signal);
      throw error;
    }
  }

  /** Drains and closes the consumer, where there is one or is going to be. */
  async end(): Promise<void> {
    await this.#opening;
    const consumer = this.#current?.consumer;
    await consumer?.drain();
    await consumer?.close();
  }
}
