import type { QueuedDelivery, TakeLimits } from '../ports/queue.ts';
import type { Bell } from './bell.ts';

/** The taking of one consumer: one batch at a time, and whoever finds nothing waits until something has arrived. */
export class Takes {
  readonly #arrived: Bell;
  readonly #next: (limits: TakeLimits) => readonly QueuedDelivery[];
  #isTaking = false;
  #isOver = false;

  /** `next`: what is there now. It may throw why there will be no more. */
  constructor(arrived: Bell, next: (limits: TakeLimits) => readonly QueuedDelivery[]) {
    this.#arrived = arrived;
    this.#next = next;
  }

  /** See `Consumer.take`. */
  async take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]> {
    this.#refuseMisuse(limits);
    this.#isTaking = true;
    try {
      while (!this.#isOver && signal?.aborted !== true) {
        const deliveries = this.#next(limits);
        if (deliveries.length > 0) return deliveries;
        await this.#arrived.wait(signal);
      }
      return [];
    } finally {
      this.#isTaking = false;
    }
  }

  /** See `Consumer.takeNow`. */
  async takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]> {
    this.#refuseMisuse(limits);
    return this.#isOver ? [] : this.#next(limits);
  }

  /** Nothing more is handed over: whoever waits gets nothing. */
  end(): void {
    this.#isOver = true;
    this.#arrived.ring();
  }

  #refuseMisuse(limits: TakeLimits): void {
    if (!(limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    if (this.#isTaking) throw new TypeError('a consumer takes one batch at a time');
  }
}
