import type { Command } from '../../src/domain/command.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { StoreWatch } from '../../src/read-side/store-watch.ts';
import { SessionReads } from '../../src/service/session-reads.ts';
import { pipelineOf } from './pipelines.ts';
import { ScriptedQueue } from './scripted-queue.ts';

/** A store that a pipeline fills while it is read. */
export interface Persisting extends AsyncDisposable {
  readonly watch: StoreWatch;
  readonly reads: SessionReads;
  /** Hands a batch to the pipeline. */
  add(...commands: readonly Command[]): void;
  /** Resolves once everything that was added is persisted. */
  persisted(): Promise<void>;
}

/** Starts persisting into `store`, which belongs to the caller. Waits look at the store only when they begin. */
export function startPersisting(store: Store, clock: Clock = systemClock): Persisting {
  const queue = new ScriptedQueue();
  const watch = new StoreWatch({ store, clock, polls: false });
  const pipeline = pipelineOf(queue, store, { cachedSessions: 1_000 });
  let added = 0;
  let told: () => void = () => undefined;
  pipeline.on('committed', ({ changes }) => {
    watch.noteCommitted(changes);
    told();
  });
  const work = pipeline.run();
  return {
    watch,
    reads: new SessionReads({ store, watch, clock, cachedLogBytes: 1024 * 1024 }),
    add(...commands) {
      added += commands.length;
      if (commands.length > 0) queue.add(...commands);
    },
    async persisted() {
      while (pipeline.summary.deliveries < added) {
        await Promise.race([work, new Promise<void>((resolve) => (told = resolve))]);
      }
    },
    async [Symbol.asyncDispose]() {
      await pipeline.stop();
      await work;
      await watch.close();
    },
  };
}
