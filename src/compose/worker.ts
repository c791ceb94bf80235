import pino, { type Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { Pipeline, type PipelineOptions, type PipelineSummary } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import { storeNotDurable } from '../ports/not-durable.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { lagOf, readPartitions } from '../service/lag.ts';
import { logPipeline, logQueue } from '../telemetry/pipeline-log.ts';
import { logProgress } from '../telemetry/progress-log.ts';
import { isExclusive, openQueue, openStore, queueAddress, storeAddress, storeExists } from './open.ts';

const longestTimer = 2 ** 31 - 1;
/** Milliseconds between two lines about progress. */
const progressInterval = 10_000;
const backoff = { initial: 100, maximum: 10_000 };

/** Log lines as JSON on standard error. */
export function createLogger(values: Values): Logger {
  return pino({ level: values['log.level'] }, pino.destination({ dest: 2, sync: true }));
}

/** A pipeline over a queue and a store, with the limits of the settings. */
export function createPipeline(queue: Queue, store: Store, values: Values): Pipeline {
  return new Pipeline({ queue, store, ...pipelineSettings(values) });
}

/** How a pipeline works, by the settings. */
export function pipelineSettings(values: Values): Omit<PipelineOptions, 'queue' | 'store'> {
  return {
    clock: systemClock,
    limits: { deliveries: values['worker.batchCommands'], bytes: values['worker.batchSize'] },
    cachedSessions: values['worker.cachedSessions'],
    acceptsNewQueue: values['worker.acceptNewQueue'],
    backoff,
  };
}

/** What a worker stands on. */
interface Opened {
  readonly queue: Queue;
  readonly store: Store;
}

/**
 * Opens queue and store. What another process may have locked comes first: whoever stands by for that tries again and
 * again, and need not trouble any server meanwhile.
 */
async function openBoth({ values, logger }: WorkerOptions): Promise<Opened> {
  const openOwnQueue = (): Promise<Queue> =>
    openQueue(queueAddress(values), values, (level, message) => logger[level](message));
  const openOwnStore = async (): Promise<Store> => {
    const store = await openStore(storeAddress(values), values);
    await refuseWeakStore(store, values);
    return store;
  };
  // A store that is not there yet is nobody's, and not made for a queue that cannot be opened.
  const isStoreFirst = !isExclusive(queueAddress(values)) && (await storeExists(storeAddress(values), values));
  if (isStoreFirst) {
    const store = await openOwnStore();
    return { store, queue: await orClose(store, openOwnQueue) };
  }
  const queue = await openOwnQueue();
  return { queue, store: await orClose(queue, openOwnStore) };
}

/** What `open` opens; what is open already is closed when that fails. */
async function orClose<Other>(opened: Queue | Store, open: () => Promise<Other>): Promise<Other> {
  try {
    return await open();
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Throws `STORE_NOT_DURABLE`, and closes the store, where the settings want one that survives a power cut. */
export async function refuseWeakStore(store: Store, values: Values): Promise<void> {
  if (!values.requireDurable || store.capabilities.durable) return;
  await store.close();
  throw storeNotDurable(store.identity.kind, store.weaknesses ?? []);
}

/** What a worker did, and how long it took. */
export interface WorkSummary extends PipelineSummary {
  readonly milliseconds: number;
}

export interface WorkerOptions {
  readonly values: Values;
  readonly logger: Logger;
}

/** The configured queue, store and the pipeline between them, opened together and closed together. */
export class Worker implements AsyncDisposable {
  readonly queue: Queue;
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  private constructor(queue: Queue, store: Store, pipeline: Pipeline, logger: Logger) {
    this.queue = queue;
    this.store = store;
    this.pipeline = pipeline;
    this.#logger = logger;
  }

  /** Opens everything. What was opened is closed again when the rest cannot be. */
  static async open({ values, logger }: WorkerOptions): Promise<Worker> {
    const { queue, store } = await openBoth({ values, logger });
    const { source, partitions } = queue;
    logger.info({ source, partitions, store: store.identity }, 'worker opened');
    if (!store.capabilities.durable) {
      const { weaknesses, identity } = store;
      logger.warn({ store: identity.kind, weaknesses }, 'this store may lose what it acknowledged');
    }
    const pipeline = createPipeline(queue, store, values);
    logPipeline(pipeline, logger);
    if (queue.events !== undefined) logQueue(queue.events, logger);
    logProgress(pipeline, logger, systemClock, progressInterval);
    return new Worker(queue, store, pipeline, logger);
  }

  /** How many commands wait to be persisted. */
  async waiting(): Promise<number> {
    return lagOf(await readPartitions(this.queue, this.store));
  }

  /** Tells how many commands are persisted, duplicates included, whenever there are more. */
  onPersisted(listener: (commands: number) => void): void {
    let persisted = 0;
    this.pipeline.on('committed', ({ deliveries }) => {
      persisted += deliveries;
      listener(persisted);
    });
  }

  /** Works until `interruption`, then finishes what is under way. Rejects with the first error that no retry mends. */
  runUntil(interruption: AbortSignal): Promise<WorkSummary> {
    return this.#work(interruption, () => this.pipeline.run());
  }

  /** Persists everything that the queue holds at this moment, then ends; earlier on `interruption`. */
  runUntilCaughtUp(interruption: AbortSignal): Promise<WorkSummary> {
    return this.#work(interruption, () => this.pipeline.runUntilCaughtUp());
  }

  /** Stops and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #work(interruption: AbortSignal, work: () => Promise<PipelineSummary>): Promise<WorkSummary> {
    const start = systemClock.elapsed();
    const stop = (): void => {
      this.#logger.info('stopping: what is under way is finished first');
      // What fails while stopping is reported by the work itself.
      this.pipeline.stop().catch(() => undefined);
    };
    interruption.addEventListener('abort', stop);
    // An idle embedded queue waits for nothing that the event loop knows of: without this the process would just end.
    const alive = setInterval(() => undefined, longestTimer);
    try {
      const summary = await work();
      return { ...summary, milliseconds: systemClock.elapsed() - start };
    } finally {
      clearInterval(alive);
      interruption.removeEventListener('abort', stop);
    }
  }

  async #close(): Promise<void> {
    try {
      await this.pipeline.close();
    } finally {
      try {
        await this.queue.close();
      } finally {
        await this.store.close();
      }
    }
  }
}
