import type { PersistenceError } from '../../../domain/errors.ts';
import type { QueuedDelivery, ReplayStart, TakeLimits } from '../../../ports/queue.ts';
import { Bell } from '../../bell.ts';
import { DeliveryTaker, type Feed } from '../../delivery-taker.ts';
import { Outage } from '../../outage.ts';
import type { ConnectionParts } from './broker-connections.ts';
import type { FeedStart } from './partition-feed.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import { type KafkaTopic, TopicBrokers } from './topic-brokers.ts';

/** How a topic is read anew. Times in milliseconds. */
export interface ReplayParts extends Omit<ConnectionParts, 'topicName'> {
  readonly topic: KafkaTopic;
}

/** What is read of a partition: from a start to an offset that is not read any more. */
export interface Stretch {
  readonly partition: number;
  readonly start: ReplayStart;
  readonly end: number;
}

/** Longest, in ms, that brokers may be away before a replay is given up; it can be begun again where it was. */
export const patience = 60_000;
const maxWait = 500;
const lookInterval = 5_000;

/** Fetches stretches of several partitions, ahead of what is taken. */
export class ReplayReading {
  readonly #fetcher: PartitionFetcher;
  readonly #arrived = new Bell();
  readonly #feeds = new Map<number, EndingFeed>();
  readonly #taker = new DeliveryTaker(this.#feeds);
  #failure: PersistenceError | undefined;
  /** Aborted when an outage is over. */
  #outageOver = new AbortController();

  constructor(parts: ReplayParts, stretches: readonly Stretch[]) {
    const { clock } = parts;
    const fail = (error: PersistenceError): void => {
      this.#failure ??= error;
      this.#arrived.ring();
    };
    const outage = new Outage(clock, {
      unavailable: (error) => {
        this.#outageOver = new AbortController();
        clock.sleep(patience, this.#outageOver.signal).then(
          () => fail(error),
          () => undefined,
        );
      },
      available: () => this.#outageOver.abort(),
    });
    this.#fetcher = new PartitionFetcher({
      openBrokers: () => new TopicBrokers(parts.topic, parts),
      clock,
      outage,
      maxWait,
      requestTimeout: parts.requestTimeout,
      lookInterval,
      onArrived: () => this.#arrived.ring(),
      onFailed: fail,
    });
    if (stretches.length > 0) this.#begin(stretches);
  }

  /** True when everything was taken. */
  get isOver(): boolean {
    return this.#feeds.size === 0;
  }

  /** What has arrived, within the limits. Throws once there cannot be more, `QUEUE_CORRUPT` too. */
  take(limits: TakeLimits): readonly QueuedDelivery[] {
    if (this.#failure !== undefined) throw this.#failure;
    const deliveries = this.#taker.take(limits);
    const over = [...this.#feeds.values()].filter((feed) => feed.isOver).map(({ partition }) => partition);
    for (const partition of over) this.#feeds.delete(partition);
    this.#fetcher.remove(over);
    this.#fetcher.taken();
    return deliveries;
  }

  /** Waits until there may be more. */
  more(signal: AbortSignal): Promise<void> {
    return this.#failure === undefined ? this.#arrived.wait(signal) : Promise.resolve();
  }

  async close(): Promise<void> {
    this.#outageOver.abort();
    await this.#fetcher.close();
  }

  #begin(stretches: readonly Stretch[]): void {
    void this.#fetcher.add(new Map(stretches.map(({ partition, start }) => [partition, feedStart(start)])));
    for (const { partition, start, end } of stretches) {
      const feed = this.#fetcher.feeds.get(partition);
      if (feed !== undefined) this.#feeds.set(partition, new EndingFeed(feed, start.next, end));
    }
  }
}

/** What is fetched of a partition, up to an offset. */
class EndingFeed implements Feed {
  readonly partition: number;
  readonly #feed: Feed;
  readonly #end: number;
  #next: number;

  constructor(feed: Feed, next: number, end: number) {
    this.partition = feed.partition;
    this.#feed = feed;
    this.#next = next;
    this.#end = end;
  }

  get isOver(): boolean {
    return this.#next >= this.#end;
  }

  peek(): QueuedDelivery | undefined {
    if (this.isOver) return undefined;
    const delivery = this.#feed.peek();
    // Offsets may be missing before the end; a stretch that holds nothing may lie across it.
    const isBeyond = delivery !== undefined && delivery.position.offset >= this.#end && delivery.isPassed !== true;
    if (isBeyond) this.#next = this.#end;
    return isBeyond ? undefined : delivery;
  }

  advance(): void {
    this.#next = (this.#feed.peek()?.position.offset ?? this.#end) + 1;
    this.#feed.advance();
  }
}

function feedStart({ next, digest }: ReplayStart): FeedStart {
  return digest === undefined ? { next } : { next, digest };
}
