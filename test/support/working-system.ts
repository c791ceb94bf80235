import { randomUUID } from 'node:crypto';
import type { Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { FiledRecord, SourceId } from '../../src/domain/plan.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { createMemoryQueue } from '../../src/queues/memory/memory-queue.ts';
import { StoreWatch } from '../../src/read-side/store-watch.ts';
import type { Decided } from '../../src/service/decisions.ts';
import type { OperatorsPart } from '../../src/service/local-service.ts';
import { createOperators } from '../../src/service/operators.ts';
import { Publishing } from '../../src/service/publishing.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';

export interface SystemParts {
  readonly queue?: Queue;
  readonly store?: Store;
  /** Writer's name of the service. */
  readonly writer?: string;
  /** Milliseconds that a decision's outcome is waited for. */
  readonly patience?: number;
}

/** A queue, a store, a worker between them once it is told to work, and the parts of a service over them. */
export class WorkingSystem implements AsyncDisposable {
  readonly queue: Queue;
  readonly store: Store;
  readonly watch: StoreWatch;
  readonly publishing: Publishing;
  readonly operators: OperatorsPart;
  /** What the operators' part told of decisions. */
  readonly decided: Decided[] = [];
  readonly #pipeline: Pipeline;
  #work: Promise<unknown> | undefined;

  constructor({ queue, store, writer = '//test/service', patience = 10_000 }: SystemParts = {}) {
    this.queue = queue ?? createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock });
    this.store = store ?? createMemoryStore();
    this.watch = new StoreWatch({ store: this.store, clock: systemClock, polls: false });
    this.#pipeline = new Pipeline({
      queue: this.queue,
      store: this.store,
      clock: systemClock,
      limits: { deliveries: 7, bytes: 1 << 20 },
      cachedSessions: 10,
      backoff: { initial: 1, maximum: 10 },
    });
    this.#pipeline.on('committed', ({ changes }) => this.watch.noteCommitted(changes));
    const common = { queue: this.queue, watch: this.watch, clock: systemClock };
    this.publishing = new Publishing({ ...common, writer: writer as Writer });
    this.operators = createOperators({
      store: this.store,
      clock: systemClock,
      decisions: {
        ...common,
        source: '//test/operators' as Writer,
        newId: randomUUID,
        timeout: patience,
        onDecided: (decided) => this.decided.push(decided),
      },
    });
  }

  work(): this {
    this.#work = this.#pipeline.run();
    return this;
  }

  /** Resolves once everything that the queue holds now is persisted. */
  async caughtUp(): Promise<void> {
    const bounds = await this.queue.bounds();
    for (;;) {
      const positions = await this.store.readPositions(this.queue.source);
      if ([...bounds].every(([partition, { end }]) => (positions.get(partition)?.next ?? 0) >= end)) return;
      await new Promise(setImmediate);
    }
  }

  /** What the session's log holds, by the marks of its entries. */
  async marks(session: string): Promise<readonly string[]> {
    await using view = await this.store.openSession(session as SessionId);
    const marks: string[] = [];
    if (view === undefined) return marks;
    for await (const page of view.log()) {
      for (const entry of page) marks.push(JSON.parse(Buffer.from(entry).toString()).message_id);
    }
    return marks;
  }

  async filed(session?: string): Promise<readonly FiledRecord[]> {
    return this.store.readFiled(session as SessionId | undefined, { limit: 1_000 });
  }

  /** Ends the work and what stands on it; queue and store stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.publishing.close();
    await this.#pipeline.stop();
    await this.#work;
    await this.watch.close();
  }
}

/** `number` as the branded sequence that it is. */
export function sequence(number: number): Sequence {
  return number as Sequence;
}
