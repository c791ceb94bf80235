import type { Command } from '../../src/domain/command.ts';
import type { Position } from '../../src/domain/delivery.ts';
import { PersistenceError } from '../../src/domain/errors.ts';
import type { Sink } from '../../src/publisher/sink.ts';
import { turns } from './turns.ts';

/** What a publish meets: a number of turns that it takes, no room, a queue that is down, an answer that is lost. */
export type Mishap = number | 'full' | 'down' | 'answer lost';

/** A queue that lets everything wait while it is held, and has mishaps in the order they were given. */
export class UnsteadySink implements Sink {
  /** Every group that was handed over, mishaps included. */
  readonly groups: (readonly Command[])[] = [];
  /** Most commands, and bytes of data, that were unacknowledged at a time. */
  readonly most = { commands: 0, bytes: 0 };
  /** What the next publish fails with, after everything was written. */
  failure: PersistenceError | undefined;
  readonly #queue: Sink;
  readonly #mishaps: Mishap[];
  readonly #now = { commands: 0, bytes: 0 };
  #held: Promise<void> | undefined;
  #release: () => void = () => undefined;

  constructor(queue: Sink, mishaps: readonly Mishap[] = []) {
    this.#queue = queue;
    this.#mishaps = [...mishaps];
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#held = undefined;
    this.#release();
  }

  async publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    refuseAborted(signal);
    const load = commands.reduce((sum, command) => sum + ('data' in command ? command.data.length : 0), 0);
    this.groups.push(commands);
    this.#count(commands.length, load);
    try {
      await this.#held;
      return await this.#publish(commands);
    } finally {
      this.#count(-commands.length, -load);
    }
  }

  async whenWritable(signal?: AbortSignal): Promise<void> {
    await turns(1);
    refuseAborted(signal);
  }

  async #publish(commands: readonly Command[]): Promise<readonly Position[]> {
    const mishap = this.#mishaps.shift() ?? 0;
    if (mishap === 'full') throw new PersistenceError('QUEUE_FULL', 'no room');
    if (mishap === 'down') throw new PersistenceError('QUEUE_UNAVAILABLE', 'down');
    if (typeof mishap === 'number') await turns(mishap);
    const positions = await this.#queue.publish(commands);
    if (mishap === 'answer lost') throw new PersistenceError('QUEUE_UNAVAILABLE', 'no answer');
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    return positions;
  }

  #count(commands: number, bytes: number): void {
    this.#now.commands += commands;
    this.#now.bytes += bytes;
    this.most.commands = Math.max(this.most.commands, this.#now.commands);
    this.most.bytes = Math.max(this.most.bytes, this.#now.bytes);
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PersistenceError('ABORTED', 'given up');
}
