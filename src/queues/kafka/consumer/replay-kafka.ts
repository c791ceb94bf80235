import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds, QueuedDelivery, ReplayOptions } from '../../../ports/queue.ts';
import { lostHistory } from '../../lost-history.ts';
import { tryWithin } from '../../patience.ts';
import { readBounds } from './read-bounds.ts';
import { patience, type ReplayParts, ReplayReading, type Stretch } from './replay-reading.ts';
import { TopicBrokers } from './topic-brokers.ts';

/**
 * Everything that the topic holds from the given offsets to its end as it is now, all partitions at once, read without a
 * group. Iterating rejects with `SOURCE_LOST_HISTORY` for offsets that are not held, `ABORTED` once the signal of the
 * options is aborted, `QUEUE_CLOSED` once `closing` is, `QUEUE_UNAVAILABLE` when the brokers stay away.
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
  readonly #bounds: Promise<ReplayBounds>;

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
    const { limits, signal } = this.#options;
    this.#refuseGivenUp();
    const bounds = await this.#bounds.catch((error: unknown) => {
      this.#refuseGivenUp();
      throw error;
    });
    const givenUp = AbortSignal.any([this.#closing, ...(signal === undefined ? [] : [signal])]);
    const reading = new ReplayReading(this.#parts, this.#stretches(bounds));
    try {
      while (!reading.isOver) {
        this.#refuseGivenUp();
        const deliveries = reading.take(limits);
        if (deliveries.length > 0) yield deliveries;
        else if (!reading.isOver) await reading.more(givenUp);
      }
    } finally {
      await reading.close();
    }
  }

  /** What is read of each partition, where that is anything. */
  #stretches({ held, ends }: ReplayBounds): readonly Stretch[] {
    const { from, ends: givenEnds } = this.#options;
    return [...held].flatMap(([partition, bounds]) => {
      const start = from?.get(partition) ?? { next: bounds.start };
      if (start.next < bounds.start || start.next > bounds.end) {
        throw lostHistory(partition, start.next, bounds, false);
      }
      const end = Math.min(ends.get(partition)?.end ?? bounds.end, givenEnds?.get(partition) ?? bounds.end);
      return start.next < end ? [{ partition, start, end }] : [];
    });
  }

  async #readBounds(): Promise<ReplayBounds> {
    const { topic, clock } = this.#parts;
    const { before } = this.#options;
    const brokers = new TopicBrokers(topic, this.#parts);
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
    const read = (time?: number): Promise<ReadonlyMap<number, PartitionBounds>> =>
      tryWithin(clock, patience, () => readBounds(brokers, partitions, this.#closing, time), this.#closing);
    try {
      const held = await read();
      return { held, ends: before === undefined ? held : await read(before) };
    } finally {
      await brokers.close();
    }
  }

  #refuseGivenUp(): void {
    if (this.#closing.aborted) throw new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
    if (this.#options.signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
  }
}

/** What the brokers hold, and where the partitions end for this replay. */
interface ReplayBounds {
  readonly held: ReadonlyMap<number, PartitionBounds>;
  readonly ends: ReadonlyMap<number, PartitionBounds>;
}
