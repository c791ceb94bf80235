import type { Command } from '../../../src/domain/command.ts';
import type { Position } from '../../../src/domain/delivery.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { FencedPublisher, Queue } from '../../../src/ports/queue.ts';

/**
 * What the next publish meets. `down`: nothing is written, and nobody knows. `written`: all is written, and nobody
 * knows. `held`: it is written when it is let go. `late`: it is written, and tells so when it is let go. `full`: nothing
 * is written, which is certain. `failed`: written, and no more can be. `on its way`: nobody knows, and it is written when
 * it is let go, unless the publisher was settled or shut out before.
 */
export const mishaps = ['down', 'written', 'held', 'late', 'full', 'failed', 'on its way'] as const;
export type Mishap = (typeof mishaps)[number];

type Publish = (commands: readonly Command[], signal?: AbortSignal) => Promise<readonly Position[]>;

/** A queue whose publishes have mishaps, with publishers by name or without. */
export class UnsteadyQueue {
  readonly queue: Queue;
  /** Of the publishes to come, in order. */
  readonly mishaps: Mishap[] = [];
  readonly #held: (() => void)[] = [];
  readonly #onTheirWay: (() => Promise<unknown>)[] = [];

  constructor(inner: Queue, isFencing: boolean) {
    const unsteady =
      (publish: Publish): Publish =>
      (commands, signal) =>
        this.#publish(publish, commands, signal);
    const named = async (name: string, signal?: AbortSignal): Promise<FencedPublisher> => {
      const publisher = await inner.fencedPublisher?.(name, signal);
      if (publisher === undefined) throw new TypeError('the queue fences no writers');
      const publish = unsteady((...given) => publisher.publish(...given));
      const settle = async (): Promise<void> => {
        this.#onTheirWay.length = 0;
        await publisher.settle();
      };
      return replacing(publisher, { publish, settle });
    };
    const publish = unsteady((...given) => inner.publish(...given));
    this.queue = replacing(inner, { publish, fencedPublisher: isFencing ? named : undefined });
  }

  /** Lets go of the publishes that are held. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
    // Of what was shut out meanwhile nobody waits for an answer.
    for (const arrive of this.#onTheirWay.splice(0)) void arrive().catch(() => undefined);
  }

  async #publish(publish: Publish, commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    const mishap = this.mishaps.shift();
    const hold = (): Promise<void> => new Promise((resolve) => this.#held.push(resolve));
    if (mishap === 'held') await hold();
    if (mishap === 'full') throw new PersistenceError('QUEUE_FULL', mishap);
    if (mishap === 'on its way') this.#onTheirWay.push(() => publish(commands));
    if (mishap === 'down' || mishap === 'on its way') throw new PersistenceError('QUEUE_UNAVAILABLE', mishap);
    const positions = await publish(commands, signal);
    if (mishap === 'late') await hold();
    if (mishap === 'written') throw new PersistenceError('QUEUE_UNAVAILABLE', mishap);
    if (mishap === 'failed') throw new PersistenceError('QUEUE_IO_FAILED', mishap);
    return positions;
  }
}

function replacing<Target extends object>(
  target: Target,
  members: { readonly [Name in keyof Target]?: Target[Name] | undefined },
): Target {
  return new Proxy(target, {
    get(_, property) {
      if (property in members) return Reflect.get(members, property);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
