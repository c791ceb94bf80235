import type { Logger } from 'pino';
import { showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import { untilCaughtUp } from '../publisher/until-caught-up.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import { logPipeline } from '../telemetry/pipeline-log.ts';
import { openStore, storeAddress } from './open.ts';
import { createPipeline } from './worker.ts';

/** A store that is being written to, and the watch of it. */
interface Started {
  readonly store: Store;
  readonly watch: StoreWatch;
}

/**
 * Persists in this process what nobody else can persist while an exclusive queue is open here. Started when that is
 * needed. Closes the queue as well.
 */
export class Persister implements AsyncDisposable {
  readonly #queue: Queue;
  readonly #values: Values;
  readonly #logger: Logger;
  readonly #failed = new AbortController();
  #started: Promise<Started> | undefined;
  #pipeline: Pipeline | undefined;

  constructor(queue: Queue, values: Values, logger: Logger) {
    this.#queue = queue;
    this.#values = values;
    this.#logger = logger;
  }

  /** Aborted, with the reason, when persisting failed for good: nobody need wait for it any longer. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Makes room in the queue. */
  makeRoom(): void {
    this.#start().catch((error: unknown) => this.#failed.abort(error));
  }

  /** A watch of the store, once everything that the queue holds now is applied there. */
  async watch(signal: AbortSignal): Promise<SessionWatch> {
    const { store, watch } = await this.#start();
    // What the queue holds may open or claim sessions: a claim made before that is applied would come too late.
    await untilCaughtUp(this.#queue, store, systemClock, signal);
    return watch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const started = await this.#started?.catch(() => undefined);
      await started?.watch.close();
      await this.#pipeline?.close();
      await started?.store.close();
    } finally {
      await this.#queue.close();
    }
  }

  #start(): Promise<Started> {
    this.#started ??= this.#open();
    return this.#started;
  }

  async #open(): Promise<Started> {
    const address = storeAddress(this.#values);
    const store = await openStore(address, this.#values);
    const watch = new StoreWatch({ store, clock: systemClock, polls: store.capabilities.shared });
    this.#logger.debug({ store: showAddress(address) }, 'persisting in this process');
    this.#pipeline = createPipeline(this.#queue, store, this.#values);
    logPipeline(this.#pipeline, this.#logger);
    this.#pipeline.on('committed', ({ changes }) => watch.noteCommitted(changes));
    this.#pipeline.run().catch((error: unknown) => this.#failed.abort(error));
    return { store, watch };
  }
}
