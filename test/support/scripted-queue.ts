import type { Command } from '../../src/domain/command.ts';
import type { Content, Position } from '../../src/domain/delivery.ts';
import { bytesDigest } from '../../src/domain/digest.ts';
import type { Message } from '../../src/domain/message.ts';
import type { SourceId, StoredPosition } from '../../src/domain/plan.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import { contentOf } from '../../src/domain/wire/content.ts';
import type { AssignmentHandler, Consumer, PartitionBounds, Queue, QueuedDelivery } from '../../src/ports/queue.ts';

/** A delivery made by hand: of a command, or of any content and message. */
export function deliveryOf(command: Command, position: Position): QueuedDelivery {
  return rawDelivery(contentOf(command), encodeBinary(command), position);
}

export function rawDelivery(content: Content, message: Message, position: Position): QueuedDelivery {
  return {
    content,
    position,
    bytes: message.value.length,
    message: () => message,
    recordDigest: () => bytesDigest(message.value, Buffer.from(JSON.stringify(position))),
  };
}

/**
 * A queue of one partition that hands out exactly the batches it was given, one a take, and records what it is told.
 * Once they are used up, take waits for more, or for its signal.
 */
export class ScriptedQueue implements Queue {
  readonly source: SourceId;
  readonly capabilities = {
    durable: false,
    replayable: false,
    positions: true,
    fencesWriters: false,
    knowsConsumed: true,
  };
  readonly partitions = 1;
  readonly acknowledged: ReadonlyMap<number, StoredPosition>[] = [];
  readonly #batches: (readonly QueuedDelivery[])[] = [];
  /** First offset that is still held. */
  start = 0;
  #taken = 0;
  #end = 0;
  #handler: AssignmentHandler | undefined;
  #arrived: (() => void) | undefined;

  constructor(source = 'scripted') {
    this.source = source as SourceId;
  }

  /** How many batches were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Adds a batch of commands at the next offsets. */
  add(...commands: readonly Command[]): void {
    this.addDeliveries(commands.map((command) => deliveryOf(command, this.nextPosition())));
  }

  addDeliveries(deliveries: readonly QueuedDelivery[]): void {
    this.#batches.push(deliveries);
    this.#arrived?.();
  }

  nextPosition(): Position {
    this.#end += 1;
    return { partition: 0, offset: this.#end - 1 };
  }

  revoke(): Promise<void> {
    return this.#handler?.revoked([0]) ?? Promise.resolve();
  }

  async consume(handler: AssignmentHandler, _signal?: AbortSignal): Promise<Consumer> {
    this.#handler = handler;
    await handler.assigned([0]);
    const close = async () => undefined;
    return {
      take: (_, signal) => this.#take(signal),
      takeNow: async () => [],
      acknowledge: async (positions) => {
        this.acknowledged.push(positions);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async #take(signal: AbortSignal | undefined): Promise<readonly QueuedDelivery[]> {
    while (this.#batches.length === 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const arrived = (): void => {
          signal?.removeEventListener('abort', arrived);
          resolve();
        };
        this.#arrived = arrived;
        signal?.addEventListener('abort', arrived, { once: true });
      });
    }
    const batch = signal?.aborted === true ? undefined : this.#batches.shift();
    if (batch === undefined) return [];
    this.#taken += 1;
    return batch;
  }

  async bounds(): Promise<ReadonlyMap<number, PartitionBounds>> {
    return new Map([[0, { start: this.start, end: Math.max(this.start, this.#end) }]]);
  }

  publish(): never {
    throw new TypeError('a scripted queue is not published to');
  }

  whenWritable(): never {
    throw new TypeError('a scripted queue is not published to');
  }

  replay(): never {
    throw new TypeError('a scripted queue is not replayed');
  }

  async close(): Promise<void> {
    this.#arrived?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
