import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds, QueuedDelivery, ReplayOptions } from '../../../ports/queue.ts';
import { Bell } from '../../bell.ts';
import { lostHistory } from '../../lost-history.ts';
import type { ConnectionParts } from './broker-connections.ts';
import { Outage } from './outage.ts';
import type { PartitionFeed } from './partition-feed.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import { tryWithin } from './patience.ts';
import { readBounds } from './read-bounds.ts';
import { type KafkaTopic, TopicBrokers } from './topic-brokers.ts';

/** How a topic is read anew. Times in milliseconds. */
export interface ReplayParts extends Omit<ConnectionParts, 'topicName'> {
  readonly topic: KafkaTopic;
}

/** Longest, in ms, that brokers may be away before a replay is given up; it can be begun again where it was. */
const patience = 60_000;
const maxWait = 500;
const lookInterval = 5_000;

/**
 * Everything that the topic holds from the given offsets to its end as it is now, one partition after the other, read
 * without a group. Iterating rejects with `SOURCE_LOST_HISTORY` for offsets that are not held, `ABORTED` once the signal
 * of the options is aborted, `QUEUE_CLOSED` once `closing` is, `QUEUE_UNAVAILABLE` when the brokers stay away.
 */
export function replayKafka(parts: ReplayParts, options: ReplayOptions, closing: AbortSignal): KafkaReplay {
  return new KafkaReplay(parts, options, closing);
}

/** One replay, to be iterated once. */
export class KafkaReplay implements AsyncIterable<readonly QueuedDelivery[]> {
  /** Settles once it is known where the replay ends: what is published after that is no part of it. */
  readonly begun: Promise<void>;
  readonly #parts: ReplayParts;
  readonly #options: ReplayOptions;
  readonly #closing: AbortSignal;
  readonly #bounds: Promise<ReadonlyMap<number, PartitionBounds>>;

  constructor(parts: ReplayParts, options: ReplayOptions, closing: AbortSignal) {
    this.#parts = parts;
    this.#options = options;
    this.#closing = closing;
    this.#bounds = this.#readBounds();
    this.begun = this.#bounds.then(
      () => undefined,
      () => undefined,
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly QueuedDelivery[]> {
    this.#refuseGivenUp();
    const bounds = await this.#bounds.catch((error: unknown) => {
      this.#refuseGivenUp();
      throw error;
    });
    const starts = new Map<number, number>();
    for (const [partition, held] of bounds) {
      const next = this.#options.from?.get(partition) ?? held.start;
      if (next < held.start || next > held.end) throw lostHistory(partition, next, held, false);
      starts.set(partition, next);
    }
    const reading = new Reading(this.#parts);
    try {
      for (const [partition, next] of starts) {
        yield* this.#partition(reading, partition, next, bounds.get(partition)?.end ?? next);
      }
    } finally {
      await reading.close();
    }
  }

  async *#partition(
    reading: Reading,
    partition: number,
    start: number,
    end: number,
  ): AsyncGenerator<readonly QueuedDelivery[]> {
    if (start >= end) return;
    const { limits, signal } = this.#options;
    const givenUp = AbortSignal.any([this.#closing, ...(signal === undefined ? [] : [signal])]);
    const feed = reading.open(partition, start);
    for (let next = start; next < end; ) {
      this.#refuseGivenUp();
      const deliveries: QueuedDelivery[] = [];
      for (let bytes = 0; deliveries.length < limits.deliveries && next < end; ) {
        const delivery = feed.peek();
        if (delivery === undefined) break;
        bytes += delivery.bytes;
        if (bytes > limits.bytes && deliveries.length > 0) break;
        feed.advance();
        next = delivery.position.offset + 1;
        deliveries.push(delivery);
      }
      if (deliveries.length === 0) await reading.more(givenUp);
      else yield deliveries;
    }
    reading.end(partition);
  }

  async #readBounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    const { topic, clock } = this.#parts;
    const brokers = new TopicBrokers(topic, this.#parts);
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
    try {
      return await tryWithin(clock, patience, () => readBounds(brokers, partitions, this.#closing), this.#closing);
    } finally {
      await brokers.close();
    }
  }

  #refuseGivenUp(): void {
    if (this.#closing.aborted) throw new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
    if (this.#options.signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
  }
}

/** Fetches for a replay, one partition at a time, ahead of what is taken. */
class Reading {
  readonly #fetcher: PartitionFetcher;
  readonly #arrived = new Bell();
  #failure: PersistenceError | undefined;
  /** Aborted when an outage is over. */
  #outageOver = new AbortController();

  constructor(parts: ReplayParts) {
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
  }

  open(partition: number, next: number): PartitionFeed {
    void this.#fetcher.add(new Map([[partition, { next }]]));
    const feed = this.#fetcher.feeds.get(partition);
    if (feed === undefined) throw new TypeError(`partition ${partition} is not fetched`);
    return feed;
  }

  end(partition: number): void {
    this.#fetcher.remove([partition]);
  }

  /** Waits until there may be more. Rejects once there cannot be. */
  async more(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#fetcher.taken();
    await this.#arrived.wait(signal);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#outageOver.abort();
    await this.#fetcher.close();
  }
}
