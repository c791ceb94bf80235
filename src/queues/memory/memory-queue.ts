import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Message } from '../../domain/message.ts';
import { partitionOf } from '../../domain/partition.ts';
import type { SourceId } from '../../domain/plan.ts';
import { encodeBinary } from '../../domain/wire/binary.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AssignmentHandler,
  Consumer,
  FencedPublisher,
  PartitionBounds,
  Queue,
  QueueCapabilities,
  QueuedDelivery,
  ReplayOptions,
  ReplayStart,
} from '../../ports/queue.ts';
import { Bell } from '../bell.ts';
import { checkPublish, type Withdrawal, withdrawalOf } from '../check-publish.ts';
import { lostHistory } from '../lost-history.ts';
import { OnlyConsumer } from '../only-consumer.ts';
import { PublisherNames } from '../publisher-names.ts';
import { refuseGivenUp } from '../refuse-given-up.ts';
import { MemoryConsumer } from './memory-consumer.ts';
import { MemoryLog, type MemoryReader } from './memory-log.ts';

export interface MemoryQueueOptions {
  /** Names this queue in stored positions. */
  readonly source: SourceId;
  readonly clock: Clock;
  /** Default 8. */
  readonly partitions?: number | undefined;
  /** Unconsumed bytes at which publishing is refused with `QUEUE_FULL`. Default: no limit. */
  readonly maximumUnconsumedBytes?: number | undefined;
  /** Consumed records stay until they are older (in ms) or, together, more than this. Default: all stay. */
  readonly retention?: { readonly ageMs: number; readonly bytes: number } | undefined;
}

/** A queue in memory: the model of the others, and a source for tests that need any message to arrive. */
export class MemoryQueue implements Queue {
  readonly source: SourceId;
  readonly partitions: number;
  readonly capabilities: QueueCapabilities = {
    durable: false,
    replayable: true,
    positions: true,
    fencesWriters: true,
    knowsConsumed: true,
  };
  readonly #options: MemoryQueueOptions;
  readonly #log: MemoryLog;
  readonly #arrived = new Bell();
  readonly #consumed = new Bell();
  #acknowledged: readonly number[];
  #wanted = 1;
  readonly #consumer = new OnlyConsumer();
  readonly #names = new PublisherNames({
    publish: (commands, withdrawn) => this.#publish(commands, withdrawn),
    whenWritable: (signal) => this.whenWritable(signal),
    settled: async () => undefined,
  });
  #closing: Promise<void> | undefined;

  constructor(options: MemoryQueueOptions) {
    this.#options = options;
    this.source = options.source;
    this.partitions = options.partitions ?? 8;
    this.#log = new MemoryLog(this.partitions);
    this.#acknowledged = this.#log.ends.map(() => 0);
  }

  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    return this.#publish(commands, withdrawalOf(signal));
  }

  async fencedPublisher(name: string, signal?: AbortSignal): Promise<FencedPublisher> {
    this.#refuseClosed();
    return await this.#names.take(name, signal);
  }

  /** Appends any message, however malformed, as a foreign producer could. Default: partition 0. */
  inject(message: Message, partition = 0): Position {
    const { position } = this.#log.append(partition, this.#options.clock.now(), message);
    this.#arrived.ring();
    return position;
  }

  async whenWritable(signal?: AbortSignal): Promise<void> {
    for (;;) {
      this.#refuseClosed();
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'the wait for room in the queue was given up');
      if (this.#hasRoom(this.#wanted)) break;
      await this.#consumed.wait(signal);
    }
    this.#wanted = 1;
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
    return this.#replay(options, [...this.#log.ends]);
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    this.#refuseClosed();
    return new Map(this.#numbers().map((partition) => [partition, this.#log.bounds(partition)]));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #publish(commands: readonly Command[], withdrawn: Withdrawal | undefined): Promise<readonly Position[]> {
    const checked = this.#closed() ?? checkPublish(commands, withdrawn);
    if (checked instanceof PersistenceError) throw checked;
    const messages = commands.map(encodeBinary);
    const bytes = messages.reduce((sum, { value }) => sum + value.length, 0);
    if (commands.length > 0 && !this.#hasRoom(bytes)) {
      this.#wanted = Math.max(this.#wanted, bytes);
      throw new PersistenceError(
        'QUEUE_FULL',
        `the queue holds ${this.#unconsumed()} unconsumed bytes and takes no more`,
      );
    }
    return commands.map((command, index) => {
      const message = messages[index] ?? encodeBinary(command);
      return this.inject(message, partitionOf(command.session, this.partitions));
    });
  }

  async #close(): Promise<void> {
    // The rest of the closing runs after `#closing` is set, so that those who are woken see it.
    await Promise.resolve();
    this.#consumed.ring();
    await this.#consumer.end(this.#numbers());
  }

  async #consumerOf(handler: AssignmentHandler, signal: AbortSignal | undefined): Promise<MemoryConsumer> {
    const stored = await handler.assigned(this.#numbers());
    refuseGivenUp(signal);
    const next = this.#numbers().map((partition) => {
      const position = stored.get(partition);
      return position === undefined ? this.#log.bounds(partition).start : this.#verified(partition, position);
    });
    this.#acknowledge(next);
    return new MemoryConsumer(this.#log, next, this.#arrived, {
      acknowledged: (acknowledged) => this.#acknowledge(acknowledged),
      closed: () => this.#consumer.leave(),
    });
  }

  async *#replay(options: ReplayOptions, ends: readonly number[]): AsyncGenerator<readonly QueuedDelivery[]> {
    const next = this.#numbers().map((partition) => {
      const start = options.from?.get(partition);
      return start === undefined ? this.#log.bounds(partition).start : this.#verified(partition, start);
    });
    const until = ends.map((end, partition) => Math.min(end, options.ends?.get(partition) ?? end));
    const reader: MemoryReader = { index: 0, next, ends: until, before: options.before };
    for (;;) {
      this.#refuseClosed();
      if (options.signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
      const deliveries = this.#log.take(reader, options.limits);
      if (deliveries.length === 0) return;
      yield deliveries;
    }
  }

  /** The offset to start at. Throws `SOURCE_LOST_HISTORY` unless it is held, and the record before is the one meant. */
  #verified(partition: number, { next, digest }: ReplayStart): number {
    const held = this.#log.bounds(partition);
    const isHeld = held.start <= next && next <= held.end;
    if (isHeld && (digest === undefined || this.#log.digestBefore(partition, next) === digest)) return next;
    throw lostHistory(partition, next, held, isHeld);
  }

  #acknowledge(next: readonly number[]): void {
    this.#acknowledged = next;
    const { retention, clock } = this.#options;
    for (let oldest = this.#log.oldest; retention !== undefined && oldest !== undefined; oldest = this.#log.oldest) {
      const isConsumed = oldest.position.offset < (next[oldest.position.partition] ?? 0);
      const isOld = oldest.time <= clock.now() - retention.ageMs;
      if (!isConsumed || !(isOld || this.#log.totalBytes > retention.bytes)) break;
      this.#log.removeOldest();
    }
    this.#consumed.ring();
  }

  #unconsumed(): number {
    return this.#log.bytesFrom(this.#acknowledged);
  }

  #hasRoom(bytes: number): boolean {
    const limit = this.#options.maximumUnconsumedBytes;
    if (limit === undefined) return true;
    const unconsumed = this.#unconsumed();
    return unconsumed === 0 || unconsumed + bytes <= limit;
  }

  #numbers(): number[] {
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

/** Makes an empty queue in memory. */
export function createMemoryQueue(options: MemoryQueueOptions): MemoryQueue {
  return new MemoryQueue(options);
}
