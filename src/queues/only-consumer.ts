import type { AssignmentHandler, Consumer } from '../ports/queue.ts';
import { refuseGivenUp } from './refuse-given-up.ts';

/** The place of the one consumer that a queue of one process has at a time. */
export class OnlyConsumer {
  #current: { readonly consumer: Consumer | undefined; readonly handler: AssignmentHandler } | undefined;

  /**
   * The consumer that `make` makes, unless there is one already: then it throws a TypeError. `ABORTED` once `signal` is
   * aborted before it begins.
   */
  async take<Made extends Consumer>(
    handler: AssignmentHandler,
    signal: AbortSignal | undefined,
    make: () => Promise<Made>,
  ): Promise<Made> {
    refuseGivenUp(signal);
    if (this.#current !== undefined) throw new TypeError('this queue is consumed already: close that consumer first');
    this.#current = { consumer: undefined, handler };
    try {
      const consumer = await make();
      this.#current = { consumer, handler };
      return consumer;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** To be called by the consumer when it is closed: there may be another one. */
  leave(): void {
    this.#current = undefined;
  }

  /** Takes the partitions away from the consumer and closes it, where there is one. */
  async end(partitions: readonly number[]): Promise<void> {
    const current = this.#current;
    if (current?.consumer === undefined) return;
    await current.handler.revoked(partitions);
    await current.consumer.close();
  }
}
