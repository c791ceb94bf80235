import type { Command } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { FencedPublisher } from '../ports/queue.ts';
import { type Withdrawal, withdrawalOf } from './check-publish.ts';

/** How a queue that one process owns publishes for whoever holds a name. */
export interface NamedPublishing {
  /** As `Queue.publish`; the withdrawal is asked for at the last moment before the write. */
  publish(commands: readonly Command[], withdrawn: Withdrawal): Promise<readonly Position[]>;
  whenWritable(signal: AbortSignal | undefined): Promise<void>;
  /** Resolves once whatever has begun to be written is durable or refused; rejects where that cannot be known. */
  settled(): Promise<void>;
}

/**
 * Who publishes under which name to a queue that one process owns: whoever asked last. Names are kept in memory alone,
 * because nobody outlives the process that owns the queue.
 */
export class PublisherNames {
  readonly #publishing: NamedPublishing;
  readonly #holders = new Map<string, NamedPublisher>();

  constructor(publishing: NamedPublishing) {
    this.#publishing = publishing;
  }

  /** See `Queue.fencedPublisher`. */
  async take(name: string, signal: AbortSignal | undefined): Promise<FencedPublisher> {
    refuseNameless(name);
    if (signal?.aborted) throw new PersistenceError('ABORTED', 'publishing under a name was given up');
    const holder = new NamedPublisher(this.#publishing, (one) => this.#holders.get(name) !== one);
    this.#holders.set(name, holder);
    await this.#publishing.settled();
    return holder;
  }
}

/** Throws a TypeError for a name that is none. */
export function refuseNameless(name: string): void {
  if (name === '') throw new TypeError('a publisher that shuts others out has a name');
}

class NamedPublisher implements FencedPublisher {
  readonly #publishing: NamedPublishing;
  readonly #isShutOut: (publisher: NamedPublisher) => boolean;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(publishing: NamedPublishing, isShutOut: (publisher: NamedPublisher) => boolean) {
    this.#publishing = publishing;
    this.#isShutOut = isShutOut;
  }

  async publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    this.#refuse();
    const publishing = this.#publishing.publish(commands, () => withdrawalOf(signal)?.() ?? this.#shutOut());
    this.#underWay.add(publishing);
    try {
      return await publishing;
    } finally {
      this.#underWay.delete(publishing);
    }
  }

  async whenWritable(signal?: AbortSignal): Promise<void> {
    this.#refuse();
    await this.#publishing.whenWritable(signal);
  }

  async settle(): Promise<void> {
    this.#refuse();
    await Promise.allSettled(this.#underWay);
    await this.#publishing.settled();
    this.#refuse();
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuse(): void {
    if (this.#closing !== undefined) throw new PersistenceError('QUEUE_CLOSED', 'the publisher was closed');
    const shutOut = this.#shutOut();
    if (shutOut !== undefined) throw shutOut;
  }

  #shutOut(): PersistenceError | undefined {
    if (!this.#isShutOut(this)) return undefined;
    return new PersistenceError(
      'WRITER_FENCED',
      'another publisher has taken this name: nothing more is published here',
    );
  }
}
