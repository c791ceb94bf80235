import type { StoredPosition } from '../domain/plan.ts';
import type { Consumer, QueuedDelivery, TakeLimits } from '../ports/queue.ts';

/** A consumer that can let go of everything in order, before it is closed. */
export interface DrainableConsumer extends Consumer {
  /** Delivers nothing more; resolves once all that was delivered is settled. */
  drain(): Promise<void>;
}

/** A consumer that says when it is closed. */
export class TrackedConsumer implements DrainableConsumer {
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
