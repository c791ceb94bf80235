import type { EventEmitter } from 'node:events';
import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { SourceId } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AssignmentHandler,
  Consumer,
  ContinuedSource,
  DeadLetterCopies,
  FencedPublisher,
  PartitionBounds,
  Queue,
  QueueCapabilities,
  QueuedDelivery,
  QueueEvents,
  ReplayOptions,
} from '../../ports/queue.ts';
import { checkPublish, withdrawalOf } from '../check-publish.ts';
import { openOrClose } from '../open-or-close.ts';
import { tryWithin } from '../patience.ts';
import { refuseNameless } from '../publisher-names.ts';
import { whileWaiting } from '../time-limit.ts';
import { ConsumerPlace } from '../tracked-consumer.ts';
import type { KafkaConsumer } from './consumer/kafka-consumer.ts';
import { readBounds } from './consumer/read-bounds.ts';
import type { KafkaReplay } from './consumer/replay-kafka.ts';
import type { TopicBrokers } from './consumer/topic-brokers.ts';
import type { DeadLetterTopic } from './dead-letter-topic.ts';
import { KafkaFencedPublisher } from './publishing/fenced-publisher.ts';
import type { KafkaPublisher } from './publishing/publisher.ts';
import type { TopicInquiry } from './topics/topic-inquiry.ts';

export interface KafkaQueueParts {
  readonly source: SourceId;
  readonly continues: ContinuedSource | undefined;
  readonly clock: Clock;
  readonly events: EventEmitter<QueueEvents>;
  /** Connections for looking at the topic. */
  readonly brokers: TopicBrokers;
  readonly publisher: KafkaPublisher;
  /** One that shuts out whoever published under this name before. */
  readonly createFencedPublisher: (name: string) => KafkaPublisher;
  readonly deadLetters: DeadLetterTopic | undefined;
  readonly openConsumer: (handler: AssignmentHandler, signal: AbortSignal) => Promise<KafkaConsumer>;
  readonly replay: (options: ReplayOptions, closing: AbortSignal) => KafkaReplay;
  readonly inquiry: TopicInquiry;
  /** How often, in milliseconds, whoever consumes looks whether the commands go to another topic. */
  readonly inquiryInterval: number;
}

/** Milliseconds for which brokers that change leaders are asked again what they hold. */
const boundsPatience = 10_000;

/** A topic of a Kafka cluster. See `openKafkaQueue`. */
export class KafkaQueue implements Queue {
  readonly source: SourceId;
  readonly partitions: number;
  readonly capabilities: QueueCapabilities;
  readonly continues: ContinuedSource | undefined;
  readonly deadLetterCopies: DeadLetterCopies | undefined;
  readonly events: EventEmitter<QueueEvents>;
  readonly #parts: KafkaQueueParts;
  readonly #ending = new AbortController();
  readonly #consumer = new ConsumerPlace(this.#ending.signal);
  readonly #fenced = new Set<FencedPublisher>();
  /** Settles once it is known where every replay ends; undefined when it is known. */
  #beginning: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: KafkaQueueParts) {
    const { source, continues, events, brokers, deadLetters } = parts;
    this.source = source;
    this.partitions = brokers.topic.partitions;
    this.capabilities = { durable: true, replayable: true, positions: true, fencesWriters: true, knowsConsumed: false };
    this.continues = continues;
    this.deadLetterCopies = deadLetters;
    this.events = events;
    this.#parts = parts;
  }

  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    return this.#publish(this.#parts.publisher, commands, signal);
  }

  async whenWritable(signal?: AbortSignal): Promise<void> {
    this.#refuseClosed();
    await this.#parts.publisher.whenWritable(signal);
  }

  async fencedPublisher(name: string, signal?: AbortSignal): Promise<FencedPublisher> {
    refuseNameless(name);
    this.#refuseClosed();
    const opening = new KafkaFencedPublisher(this.#parts.createFencedPublisher(name), {
      publish: (publisher, commands, taken) => this.#publish(publisher, commands, taken),
      closed: (publisher) => void this.#fenced.delete(publisher),
    });
    this.#fenced.add(opening);
    try {
      return await whileWaiting([this.#ending.signal, signal], (over) => openOrClose(opening, over));
    } catch (error) {
      this.#refuseClosed();
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'publishing under a name was given up');
      throw error;
    }
  }

  async consume(handler: AssignmentHandler, signal?: AbortSignal): Promise<Consumer> {
    this.#refuseClosed();
    const open = (over: AbortSignal) => this.#parts.openConsumer(handler, over);
    return await this.#consumer.take(signal, open, (consumer, closed) => void this.#endWhenMoved(consumer, closed));
  }

  replay(options: ReplayOptions): AsyncIterable<readonly QueuedDelivery[]> {
    this.#refuseClosed();
    if (!(options.limits.deliveries >= 1)) throw new TypeError('a batch holds at least one delivery');
    const replay = this.#parts.replay(options, this.#ending.signal);
    const beginning = Promise.all([this.#beginning, replay.begun]).then(() => {
      if (this.#beginning === beginning) this.#beginning = undefined;
    });
    this.#beginning = beginning;
    return replay;
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    this.#refuseClosed();
    const { clock, brokers } = this.#parts;
    const partitions = Array.from({ length: this.partitions }, (_, partition) => partition);
    return await tryWithin(clock, boundsPatience, () => readBounds(brokers, partitions), this.#ending.signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Nothing more comes to a topic whose commands go elsewhere: a worker would wait there, and look alive. */
  async #endWhenMoved(consumer: KafkaConsumer, over: AbortSignal): Promise<void> {
    const { clock, inquiry, inquiryInterval } = this.#parts;
    while (!over.aborted) {
      await clock.sleep(inquiryInterval, over).catch(() => undefined);
      const moved = over.aborted ? undefined : await inquiry.moved();
      if (moved !== undefined && !over.aborted) return consumer.letDown(moved);
    }
  }

  async #publish(
    publisher: KafkaPublisher,
    commands: readonly Command[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Position[]> {
    const checked = this.#closed() ?? checkPublish(commands, withdrawalOf(signal));
    if (checked instanceof PersistenceError) throw checked;
    if (commands.length === 0) return [];
    // What is published from here on is no part of a replay that was asked for before.
    if (this.#beginning !== undefined) await this.#beginning;
    try {
      return await publisher.publish(commands, signal);
    } catch (error) {
      // A topic that was closed because its commands go elsewhere is, to the brokers, one that takes no large batches.
      throw isPersistenceError(error, 'QUEUE_UNSAFE') ? ((await this.#parts.inquiry.moved()) ?? error) : error;
    }
  }

  async #close(): Promise<void> {
    const { publisher, deadLetters, brokers, inquiry } = this.#parts;
    this.#ending.abort();
    await Promise.all([publisher, ...this.#fenced].map((each) => each.close()));
    await this.#consumer.end();
    await deadLetters?.close();
    await inquiry.close();
    await brokers.close();
  }

  #closed(): PersistenceError | undefined {
    return this.#closing === undefined ? undefined : new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
  }

  #refuseClosed(): void {
    const closed = this.#closed();
    if (closed !== undefined) throw closed;
  }
}
