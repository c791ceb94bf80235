import { PersistenceError } from '../../src/domain/errors.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ContinuedSource, ReplaySource } from '../../src/ports/queue.ts';
import { createMemoryQueue, type MemoryQueue } from '../../src/queues/memory/memory-queue.ts';

/** A queue that goes on from another one, and what that is opened with. */
interface Chained {
  readonly continues: ContinuedSource;
  readonly openPrevious: () => Promise<ReplaySource>;
}

/** Queues of which each goes on from where the one before it ended, each with other partitions. */
export class ChainedQueues {
  /** The names of those that are gone. */
  readonly gone = new Set<SourceId>();
  /** How many earlier ones are open at present, and how many ever were opened. */
  open = 0;
  opened = 0;
  readonly #clock: Clock;
  readonly #queues: MemoryQueue[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Another one, which is what is published to and worked on from now on. */
  async next(partitions: number): Promise<MemoryQueue> {
    const source = `memory:${this.#queues.length + 1}` as SourceId;
    const queue = createMemoryQueue({ source, clock: this.#clock, partitions });
    const before = this.#queues.at(-1);
    this.#queues.push(queue);
    return before === undefined ? queue : Object.assign(queue, await this.#after(before));
  }

  async #after(before: MemoryQueue & Partial<Chained>): Promise<Chained> {
    const from = new Map([...(await before.bounds())].map(([partition, { end }]) => [partition, end]));
    return { continues: { source: before.source, from }, openPrevious: async () => this.#look(before) };
  }

  #look(queue: MemoryQueue & Partial<Chained>): ReplaySource {
    const { source, continues, openPrevious } = queue;
    if (this.gone.has(source)) throw new PersistenceError('SOURCE_LOST_HISTORY', `${source} is gone`);
    this.open += 1;
    this.opened += 1;
    const close = async (): Promise<void> => {
      this.open -= 1;
    };
    return {
      source,
      continues,
      openPrevious,
      replay: (options) => queue.replay(options),
      bounds: () => queue.bounds(),
      close,
      [Symbol.asyncDispose]: close,
    };
  }
}
