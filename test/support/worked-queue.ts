import type { SessionId } from '../../src/domain/identifiers.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { Outcomes } from '../../src/publisher/outcomes.ts';
import { createMemoryQueue, type MemoryQueue } from '../../src/queues/memory/memory-queue.ts';
import { StoreWatch } from '../../src/read-side/store-watch.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';

/** A queue and a watched store in memory, and a worker between them once {@link WorkedQueue.work} is called. */
export class WorkedQueue implements AsyncDisposable {
  readonly queue: MemoryQueue = createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock });
  readonly store = createMemoryStore();
  readonly watch = new StoreWatch({ store: this.store, clock: systemClock, polls: false });
  readonly outcomes = new Outcomes({ watch: this.watch, clock: systemClock });
  readonly #pipeline = new Pipeline({
    queue: this.queue,
    store: this.store,
    clock: systemClock,
    limits: { deliveries: 3, bytes: 1 << 20 },
    cachedSessions: 10,
    backoff: { initial: 1, maximum: 10 },
  });
  #work: Promise<unknown> | undefined;

  constructor() {
    this.#pipeline.on('committed', ({ changes }) => this.watch.noteCommitted(changes));
  }

  work(): void {
    this.#work = this.#pipeline.run();
  }

  /** Works through what is there, and rejects with what that fails of. */
  async tryToWork(): Promise<void> {
    const limits = { deliveries: 3, bytes: 1 << 20 };
    const means = { queue: this.queue, store: this.store, clock: systemClock, cachedSessions: 10 };
    await using pipeline = new Pipeline({ ...means, limits, backoff: { initial: 1, maximum: 10 } });
    await pipeline.runUntilCaughtUp();
  }

  /** The session's log entries as text. */
  async log(session: SessionId): Promise<readonly string[]> {
    const texts: string[] = [];
    await using view = await this.store.openSession(session);
    for await (const page of view?.log() ?? []) for (const entry of page) texts.push(Buffer.from(entry).toString());
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pipeline.stop();
    await this.#work;
    await this.watch.close();
  }
}
