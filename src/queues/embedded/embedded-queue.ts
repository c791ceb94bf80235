import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SourceId } from '../../domain/plan.ts';
import type {
  AssignmentHandler,
  Consumer,
  FencedPublisher,
  PartitionBounds,
  Queue,
  QueueCapabilities,
  QueuedDelivery,
  ReplayOptions,
} from '../../ports/queue.ts';
import { isDiskFull } from '../../segments/disk-full.ts';
import type { RecordReader } from '../../segments/record-reader.ts';
import type { Place, Segments } from '../../segments/segments.ts';
import { checkPublish, type Withdrawal, withdrawalOf } from '../check-publish.ts';
import { lostHistory } from '../lost-history.ts';
import { OnlyConsumer } from '../only-consumer.ts';
import { PublisherNames } from '../publisher-names.ts';
import { refuseGivenUp } from '../refuse-given-up.ts';
import type { Backlog } from './backlog.ts';
import { Batches } from './batches.ts';
import { EmbeddedConsumer } from './embedded-consumer.ts';
import { findStarts, type Start, verifyStart } from './history.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { Retention } from './retention.ts';

/** Acknowledged positions are noted whenever so many bytes more are consumed: losing a note only delays retention. */
const noteEveryBytes = 8 * 1024 * 1024;

export interface EmbeddedQueueParts {
  readonly source: SourceId;
  readonly partitions: number;
  readonly ledger: Ledger;
  readonly segments: Segments;
  readonly journal: Journal;
  readonly backlog: Backlog;
  readonly retention: Retention;
  readonly openReader: (from: Place) => RecordReader;
  /** Bytes of the journal consumed already. */
  readonly consumed: number;
}

/** The queue in a directory of one process. See {@link openEmbeddedQueue}. */
export class EmbeddedQueue implements Queue {
  readonly source: SourceId;
  readonly partitions: number;
  readonly capabilities: QueueCapabilities = {
    durable: true,
    replayable: true,
    positions: true,
    fencesWriters: true,
    knowsConsumed: true,
  };
  /** Resolves when the queue fails for good: stop the process, it recovers from disk at its next start. */
  readonly failure: Promise<PersistenceError>;
  readonly #parts: EmbeddedQueueParts;
  readonly #consumer = new OnlyConsumer();
  readonly #names = new PublisherNames({
    publish: (commands, withdrawn) => this.#publish(commands, withdrawn),
    whenWritable: (signal) => this.whenWritable(signal),
    settled: () => this.#parts.journal.committed(),
  });
  #consumed: number;
  #noted: number;
  #closing: Promise<void> | undefined;

  constructor(parts: EmbeddedQueueParts) {
    this.source = parts.source;
    this.partitions = parts.partitions;
    this.failure = parts.journal.whenFailed();
    this.#parts = parts;
    this.#consumed = parts.consumed;
    this.#noted = parts.consumed;
  }

  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    return this.#publish(commands, withdrawalOf(signal));
  }

  whenWritable(signal?: AbortSignal): Promise<void> {
    return this.#parts.backlog.whenWritable(() => this.#closed() ?? this.#parts.journal.failure, signal);
  }

  async fencedPublisher(name: string, signal?: AbortSignal): Promise<FencedPublisher> {
    this.#refuseClosed();
    return await this.#names.take(name, signal);
  }

  async consume(handler: AssignmentHandler, signal?: AbortSignal): Promise<Consumer> {
    this.#refuseClosed();
    return await this.#consumer.take(handler, signal, async () => {
      const consumer = await this.#consumerOf(handler, signal);
      this.#refuseClosed();
      return consumer;
    });
  }

  replay(options: ReplayOptions): AsyncIterable<readonly QueuedDelivery[]> {
    this.#refuseClosed();
    if (!(options.limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    return this.#replay(options, this.#parts.journal.ends);
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    this.#refuseClosed();
    return new Map(this.#partitionNumbers().map((partition) => [partition, this.#held(partition)]));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(commands: readonly Command[], withdrawn: Withdrawal | undefined): Promise<readonly Position[]> {
    const plain = this.#closed() ?? checkPublish(commands, withdrawn);
    if (plain instanceof PersistenceError) return Promise.reject(plain);
    return commands.length === 0 ? Promise.resolve([]) : this.#parts.journal.append(commands, plain, withdrawn);
  }

  async #close(): Promise<void> {
    const { journal, retention, ledger, backlog } = this.#parts;
    backlog.wake();
    await journal.settled();
    try {
      await this.#consumer.end(this.#partitionNumbers());
      // A note that a failing disk does not take only delays retention.
      if (journal.failure === undefined) await retention.settle().catch(() => undefined);
    } finally {
      await journal.close().finally(() => ledger.close());
    }
  }

  async #consumerOf(handler: AssignmentHandler, signal: AbortSignal | undefined): Promise<EmbeddedConsumer> {
    const { segments, journal, openReader } = this.#parts;
    const stored = await handler.assigned(this.#partitionNumbers());
    refuseGivenUp(signal);
    const ends = journal.ends;
    const next = this.#partitionNumbers().map(
      (partition) => stored.get(partition)?.next ?? this.#held(partition).start,
    );
    const starts = await findStarts(segments, ends, new Map(next.entries()), openReader);
    for (const partition of this.#partitionNumbers()) {
      const position = stored.get(partition);
      if (position !== undefined) verifyStart(partition, position, starts.get(partition), this.#held(partition));
    }
    const place = this.#earliest(starts);
    this.#acknowledged(next, segments.distance(place));
    return new EmbeddedConsumer(new Batches(openReader(place), next), journal, {
      distance: (at) => segments.distance(at),
      acknowledged: (acknowledged, distance) => this.#acknowledge(acknowledged, distance),
      closed: () => this.#consumer.leave(),
    });
  }

  async *#replay(options: ReplayOptions, ends: readonly number[]): AsyncGenerator<readonly QueuedDelivery[]> {
    const { segments, retention, openReader } = this.#parts;
    const { from, before } = options;
    const wanted = this.#partitionNumbers().map(
      (partition) => from?.get(partition)?.next ?? this.#held(partition).start,
    );
    const pin = {};
    retention.hold(pin, segments.first.header.number);
    try {
      const starts = await findStarts(segments, ends, new Map(wanted.entries()), openReader);
      for (const [partition, next] of wanted.entries()) {
        const digest = from?.get(partition)?.digest ?? starts.get(partition)?.digest;
        if (digest === undefined) throw lostHistory(partition, next, this.#held(partition), false);
        verifyStart(partition, { next, digest }, starts.get(partition), this.#held(partition));
      }
      const until = ends.map((end, partition) => Math.min(end, options.ends?.get(partition) ?? end));
      const batches = new Batches(openReader(this.#earliest(starts)), wanted, { ends: until, before });
      try {
        while (!batches.isDone) {
          this.#refuseClosed();
          if (options.signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
          const deliveries = await batches.take(options.limits);
          if (deliveries.length === 0) return;
          retention.hold(pin, batches.place.segment);
          yield deliveries;
        }
      } finally {
        await batches.close();
      }
    } finally {
      retention.release(pin);
    }
  }

  #acknowledged(next: readonly number[], distance: number): void {
    this.#consumed = distance;
    this.#parts.retention.acknowledge(next);
    this.#parts.backlog.consumedTo(distance);
  }

  async #acknowledge(next: readonly number[], distance: number | undefined): Promise<void> {
    this.#acknowledged(next, distance ?? this.#consumed);
    const { retention, journal } = this.#parts;
    try {
      await retention.run();
      if (this.#consumed - this.#noted < noteEveryBytes) return;
      this.#noted = this.#consumed;
      await retention.note();
    } catch (error) {
      // Consumed segments then stay a little longer, and go when there is room for the note.
      if (!isDiskFull(error)) throw journal.fail('removing consumed segments', error);
    }
  }

  #earliest(starts: ReadonlyMap<number, Start>): Place {
    const { segments } = this.#parts;
    let earliest = segments.end;
    for (const { place } of starts.values()) {
      if (segments.distance(place) < segments.distance(earliest)) earliest = place;
    }
    return earliest;
  }

  #held(partition: number): PartitionBounds {
    const { segments, journal } = this.#parts;
    return { start: segments.first.header.next[partition] ?? 0, end: journal.ends[partition] ?? 0 };
  }

  #partitionNumbers(): number[] {
    return Array.from({ length: this.partitions }, (_, partition) => partition);
  }

  #closed(): PersistenceError | undefined {
    return this.#closing === undefined ? undefined : new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
  }

  #refuseClosed(): void {
    const closed = this.#closed();
    if (closed !== undefined) throw closed;
  }
}
