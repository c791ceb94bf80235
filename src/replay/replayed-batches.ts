import type { Position } from '../domain/delivery.ts';
import { isPersistenceError } from '../domain/errors.ts';
import type { BatchSource, QueuedDelivery, TakeLimits } from '../ports/queue.ts';
import { type Selection, select } from './selection.ts';

export interface ReplayListener {
  /** A delivery was handed out; those of a partition in their order. */
  onHandedOut(position: Position): void;
  /** Nothing more comes. */
  onOver(): void;
}

/** The batches of one replay, handed out as they come. */
export class ReplayedBatches implements BatchSource {
  readonly #batches: AsyncIterator<readonly QueuedDelivery[]>;
  readonly #selection: Selection | undefined;
  readonly #listener: ReplayListener;

  constructor(
    batches: AsyncIterable<readonly QueuedDelivery[]>,
    selection: Selection | undefined,
    listener: ReplayListener,
  ) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#selection = selection;
    this.#listener = listener;
  }

  /** Within the limits that the replay was asked for with. */
  async take(_: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    try {
      const { done, value } = await this.#batches.next();
      if (done === true) {
        this.#listener.onOver();
        return [];
      }
      for (const { position } of value) this.#listener.onHandedOut(position);
      return this.#selection === undefined ? value : select(value, this.#selection);
    } catch (error) {
      if (signal?.aborted === true && isPersistenceError(error, 'ABORTED')) return [];
      throw error;
    }
  }

  /** The store alone says how far it is. */
  async acknowledge(): Promise<void> {}

  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
