import type { QueuedDelivery, TakeLimits } from '../ports/queue.ts';

/** What there is of one partition. */
export interface Feed {
  readonly partition: number;
  /** The next delivery, which stays the next until it is taken. */
  peek(): QueuedDelivery | undefined;
  /** Takes what {@link peek} has shown. */
  advance(): void;
}

/**
 * Takes deliveries out of what was fetched of several partitions: all that a partition has before the next one, and
 * each time beginning with the one behind, so that none waits for long.
 */
export class DeliveryTaker {
  readonly #feeds: ReadonlyMap<number, Feed>;
  #previous = -1;

  constructor(feeds: ReadonlyMap<number, Feed>) {
    this.#feeds = feeds;
  }

  /** At least one delivery where there is any, within the limits; a single one may exceed the bytes. */
  take(limits: TakeLimits): QueuedDelivery[] {
    const deliveries: QueuedDelivery[] = [];
    let bytes = 0;
    const first = this.#ordered();
    for (const feed of first) {
      for (;;) {
        if (deliveries.length >= limits.deliveries) return this.#ended(feed, deliveries);
        const delivery = feed.peek();
        if (delivery === undefined) break;
        bytes += delivery.bytes;
        if (bytes > limits.bytes && deliveries.length > 0) return this.#ended(feed, deliveries);
        feed.advance();
        deliveries.push(delivery);
      }
    }
    return deliveries;
  }

  #ended(feed: Feed, deliveries: QueuedDelivery[]): QueuedDelivery[] {
    this.#previous = feed.partition;
    return deliveries;
  }

  #ordered(): readonly Feed[] {
    const partitions = [...this.#feeds.keys()].sort((one, other) => one - other);
    const ordered = [
      ...partitions.filter((partition) => partition > this.#previous),
      ...partitions.filter((partition) => partition <= this.#previous),
    ];
    return ordered.flatMap((partition) => this.#feeds.get(partition) ?? []);
  }
}
