import type { Command } from '../../../domain/command.ts';
import type { Position } from '../../../domain/delivery.ts';
import type { FencedPublisher } from '../../../ports/queue.ts';
import type { KafkaPublisher } from './publisher.ts';

/** The queue whose publisher it is. */
export interface FencedPublisherHome {
  /** What the queue does around every publish. */
  publish(
    publisher: KafkaPublisher,
    commands: readonly Command[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Position[]>;
  closed(publisher: FencedPublisher): void;
}

/** A publisher with a transactional id of its own, to whom `open` gives the name. */
export class KafkaFencedPublisher implements FencedPublisher {
  readonly #publisher: KafkaPublisher;
  readonly #home: FencedPublisherHome;

  constructor(publisher: KafkaPublisher, home: FencedPublisherHome) {
    this.#publisher = publisher;
    this.#home = home;
  }

  /** Resolves once the predecessor is shut out, and readers get to the end of what it committed. */
  open(): Promise<void> {
    return this.#publisher.open();
  }

  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    return this.#home.publish(this.#publisher, commands, signal);
  }

  whenWritable(signal?: AbortSignal): Promise<void> {
    return this.#publisher.whenWritable(signal);
  }

  settle(): Promise<void> {
    return this.#publisher.settle();
  }

  async close(): Promise<void> {
    await this.#publisher.close();
    this.#home.closed(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
