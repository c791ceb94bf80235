import type { EventEmitter } from 'node:events';
import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SourceId } from '../../domain/plan.ts';
import { encodeBinary } from '../../domain/wire/binary.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AssignmentHandler,
  Consumer,
  ContinuedSource,
  PartitionBounds,
  Queue,
  QueueCapabilities,
  QueuedDelivery,
  QueueEvents,
  ReplayOptions,
  ReplaySource,
} from '../../ports/queue.ts';
import { checkPublish, withdrawalOf } from '../check-publish.ts';
import type { Lane } from '../lane.ts';
import { tryWithin } from '../patience.ts';
import { whileWaiting } from '../time-limit.ts';
import { ConsumerPlace } from '../tracked-consumer.ts';
import type { ArchiveStanding } from './archive/archiving.ts';
import type { Backlog } from './backlog.ts';
import type { BullmqConsumer } from './bullmq-consumer.ts';
import type { WaitingEvent } from './event-batches.ts';
import { eventBytes, eventOf } from './job-events.ts';

/** What Redis says of a shard. */
export interface ShardBounds extends PartitionBounds {
  readonly bytes: number;
}

export interface BullmqQueueParts {
  readonly source: SourceId;
  readonly continues: ContinuedSource | undefined;
  readonly openPrevious: (() => Promise<ReplaySource>) | undefined;
  readonly shards: number;
  readonly durable: boolean;
  /** Whether what was consumed is kept. */
  readonly replayable: boolean;
  readonly shardOf: (session: SessionId) => number;
  readonly clock: Clock;
  readonly events: EventEmitter<QueueEvents>;
  readonly lane: Lane<WaitingEvent>;
  readonly backlog: Backlog;
  readonly readBounds: () => Promise<readonly PartitionBounds[]>;
  readonly readArchive: () => Promise<ArchiveStanding | undefined>;
  readonly openConsumer: (handler: AssignmentHandler, signal: AbortSignal) => Promise<BullmqConsumer>;
  readonly replay: (options: ReplayOptions, closing: AbortSignal) => AsyncIterable<readonly QueuedDelivery[]>;
  /** Aborted when the queue is being closed. */
  readonly ending: AbortController;
  /** Closes the connections, once nothing uses them any more. */
  readonly disconnect: () => Promise<void>;
}

/** Milliseconds for which a Redis that does not answer is asked again what it holds. */
const boundsPatience = 10_000;

/** Shards of jobs in Redis. See `openBullmqQueue`. */
export class BullmqQueue implements Queue {
  readonly source: SourceId;
  readonly continues: ContinuedSource | undefined;
  readonly openPrevious: (() => Promise<ReplaySource>) | undefined;
  readonly partitions: number;
  readonly capabilities: QueueCapabilities;
  readonly events: EventEmitter<QueueEvents>;
  readonly #parts: BullmqQueueParts;
  readonly #consumer: ConsumerPlace;
  #closing: Promise<void> | undefined;

  constructor(parts: BullmqQueueParts) {
    const { source, continues, openPrevious, shards, durable, replayable, events } = parts;
    this.source = source;
    this.continues = continues;
    this.openPrevious = openPrevious;
    this.partitions = shards;
    this.capabilities = { durable, replayable, positions: true, fencesWriters: false, knowsConsumed: true };
    this.events = events;
    this.#parts = parts;
    this.#consumer = new ConsumerPlace(parts.ending.signal);
  }

  async publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    const checked = this.#closed() ?? checkPublish(commands, withdrawalOf(signal));
    if (checked instanceof PersistenceError) throw checked;
    if (commands.length === 0) return [];
    const { shardOf, backlog, lane } = this.#parts;
    const records = commands.map((command) => {
      const event = eventOf(encodeBinary(command));
      return { partition: shardOf(command.session), body: { event, length: eventBytes(event) } };
    });
    const bytes = records.reduce((sum, { body }) => sum + body.length, 0);
    const full = backlog.admit(bytes);
    if (full !== undefined) throw full;
    try {
      return await this.#tellingOfChange(lane.publish(records, signal));
    } finally {
      backlog.settle(bytes);
    }
  }

  async whenWritable(signal?: AbortSignal): Promise<void> {
    this.#refuseClosed();
    const { lane, backlog, ending } = this.#parts;
    await lane.whenWritable(signal);
    try {
      await whileWaiting([ending.signal, signal], (over) => backlog.whenWritable(over));
    } catch (error) {
      this.#refuseClosed();
      throw error;
    }
  }

  async consume(handler: AssignmentHandler, signal?: AbortSignal): Promise<Consumer> {
    this.#refuseClosed();
    return await this.#consumer.take(signal, (over) => this.#parts.openConsumer(handler, over));
  }

  /** What was stored is there only where it was archived. */
  replay(options: ReplayOptions): AsyncIterable<readonly QueuedDelivery[]> {
    this.#refuseClosed();
    if (!(options.limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    return this.#parts.replay(options, this.#parts.ending.signal);
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    this.#refuseClosed();
    const { clock, readBounds, ending } = this.#parts;
    const bounds = await this.#tellingOfChange(tryWithin(clock, boundsPatience, readBounds, ending.signal));
    return new Map(bounds.map(({ start, end }, shard) => [shard, { start, end }]));
  }

  /** What there is of the archive; undefined where nothing is archived. Throws `INVALID_CONFIGURATION` for another one. */
  async archive(): Promise<ArchiveStanding | undefined> {
    this.#refuseClosed();
    return await this.#parts.readArchive();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { ending, lane, disconnect } = this.#parts;
    // The rest runs after `#closing` is set, so that those who are woken see it.
    await Promise.resolve();
    ending.abort();
    await lane.close();
    await this.#consumer.end();
    await disconnect();
  }

  async #tellingOfChange<Result>(asked: Promise<Result>): Promise<Result> {
    try {
      return await asked;
    } catch (error) {
      if (isPersistenceError(error, 'QUEUE_CHANGED')) this.events.emit('changed', error);
      throw error;
    }
  }

  #closed(): PersistenceError | undefined {
    return this.#closing === undefined ? undefined : new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
  }

  #refuseClosed(): void {
    const closed = this.#closed();
    if (closed !== undefined) throw closed;
  }
}
