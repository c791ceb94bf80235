import type { Logger } from 'pino';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { systemClock } from '../platform/system-clock.ts';
import { Activity } from '../service/activity.ts';
import { lagOf, readPartitions } from '../service/lag.ts';
import { Liveness } from '../service/liveness.ts';
import type { LocalService } from '../service/local-service.ts';
import type { Readiness } from '../service/status.ts';
import { awakeFor } from './awake-for.ts';
import { HostedGateway } from './gateway.ts';
import { type Listening, listen } from './listen.ts';
import { createLocalService } from './local-service.ts';
import { isExclusive, queueAddress } from './open.ts';
import { type HostMode, type OpenedParts, openParts } from './open-parts.ts';
import { isStoreOfDataDirectory, ownedOf } from './owned.ts';
import { newToken, removeServiceAddress, type ServiceAddress, writeServiceAddress } from './service-file.ts';
import type { WorkSummary } from './worker.ts';

/** Most milliseconds for which a stalled process tells that it is not ready before it ends. */
const longestGrace = 10_000;
/** Milliseconds that a commit under way, and each part's close, may take at the end, while the process is awake. */
const closingDeadline = 5_000;

export interface HostOptions {
  readonly configuration: Configuration<Settings>;
  readonly mode: HostMode;
  readonly logger: Logger;
}

/**
 * A process that others work with: queue, store, worker and HTTP API, opened together and closed together. While it
 * runs, its address lies in the data directory if no other process can open what is there.
 *
 *     opened -> running -> draining -> closed
 *                  |                     ^
 *                  +---- (a failure) ----+
 */
export class ServiceHost implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #opened: OpenedParts;
  readonly #activity = new Activity(systemClock);
  /** Aborted, with the reason, once the queue is another one than was opened. */
  readonly #changed = new AbortController();
  readonly #liveness: Liveness | undefined;
  #service: LocalService | undefined;
  #listening: Listening | undefined;
  #gateway: HostedGateway | undefined;
  #address: ServiceAddress | undefined;
  #isDraining = false;
  /** True once something does not come back from the operating system: it is not waited for any longer then. */
  #isStuck = false;
  #closing: Promise<void> | undefined;

  private constructor(options: HostOptions, opened: OpenedParts) {
    this.#options = options;
    this.#opened = opened;
    const { queue, store, worker } = opened;
    queue?.events?.on('changed', (error) => this.#changed.abort(error));
    if (queue === undefined || worker === undefined) return;
    const stalledAfter = options.configuration.values['service.stalledAfter'];
    const liveness = new Liveness({
      clock: systemClock,
      lag: async () => {
        // What other workers do with their partitions is not this one's life.
        const own = new Set(worker.pipeline.partitions);
        return lagOf((await readPartitions(queue, store)).filter(({ partition }) => own.has(partition)));
      },
      stalledAfter,
      grace: Math.min(longestGrace, stalledAfter),
    });
    worker.pipeline.on('committed', (batch) => {
      liveness.noteCommitted();
      this.#activity.noteCommitted(batch);
    });
    worker.pipeline.on('retrying', ({ error }) => liveness.noteRetrying(error));
    worker.pipeline.on('recovered', () => liveness.noteRecovered());
    queue.events?.on('unavailable', (error) => liveness.noteRetrying(error));
    queue.events?.on('available', () => liveness.noteRecovered());
    this.#liveness = liveness;
  }

  /** Opens everything. What was opened is closed again when the rest cannot be. */
  static async open(options: HostOptions): Promise<ServiceHost> {
    const host = new ServiceHost(options, await openParts(options.mode, options.configuration.values, options.logger));
    try {
      await host.#serve();
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Where the API listens. */
  get url(): string {
    if (this.#listening === undefined) throw new TypeError('a host listens once it is open');
    return this.#listening.server.url;
  }

  /**
   * Works until `interruption`, then drains within the deadline: no new requests, those under way are finished, and
   * what waits in the queue is persisted. Resolves with what the worker did. Rejects with the first error that no retry
   * mends, with `STALLED`, and, drained likewise, with `QUEUE_CHANGED`: started again, it has the queue as that is then.
   */
  async runUntil(interruption: AbortSignal): Promise<WorkSummary | undefined> {
    const stopping = new AbortController();
    const ending = AbortSignal.any([interruption, this.#changed.signal]);
    const work = this.#opened.worker?.runUntil(stopping.signal);
    const works = [work, this.#liveness?.watch(stopping.signal), this.#gateway?.run(stopping.signal)].filter(
      (each) => each !== undefined,
    );
    try {
      await Promise.race([aborted(ending), ...works]);
      if (ending.aborted) await Promise.race([this.#drain(), ...works]);
      stopping.abort();
      await this.#inTime(Promise.all(works));
      this.#changed.signal.throwIfAborted();
      return await work;
    } catch (error) {
      this.#isStuck ||= isPersistenceError(error, 'STALLED');
      throw error;
    } finally {
      stopping.abort();
    }
  }

  /** Closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(): Promise<void> {
    const { configuration, mode, logger } = this.#options;
    const { queue, store, worker } = this.#opened;
    const { values } = configuration;
    const token = newToken();
    this.#gateway = this.#createGateway();
    const service = await createLocalService({
      values,
      mode,
      logger,
      queue,
      store,
      pipeline: worker?.pipeline,
      activity: this.#activity,
      gateway: () => this.#gateway?.status,
      readiness: () => this.#readiness(),
    });
    this.#service = service;
    this.#listening = await listen({
      configuration,
      logger,
      isPrivate: mode === 'worker' || mode === 'gateway',
      service,
      ownerToken: token,
      queue,
      store,
      pipeline: worker?.pipeline,
      gateway: this.#gateway?.gateway,
      readiness: () => this.#readiness(),
    });
    await this.#gateway?.listen();
    const owned = ownedOf(values, { sharedStore: store.capabilities.shared, queue: queue !== undefined });
    if (owned.store === undefined && owned.queue === undefined) return;
    // A store from elsewhere that is only served, as a backup is: the data directory belongs to somebody else.
    if (mode === 'serve' && !isStoreOfDataDirectory(values)) return;
    this.#address = { url: this.#listening.server.localUrl, token, pid: process.pid, ...owned };
    await writeServiceAddress(values.dataDir, this.#address);
  }

  #createGateway(): HostedGateway | undefined {
    const { configuration, mode, logger } = this.#options;
    const { queue, store, worker } = this.#opened;
    const { values } = configuration;
    const port = values['gateway.port'];
    if (port === undefined || queue === undefined || (mode !== 'start' && mode !== 'gateway')) return undefined;
    return new HostedGateway({ values, logger, port, queue, store, pipeline: worker?.pipeline });
  }

  #readiness(): Readiness {
    if (this.#isDraining) return { ready: false, because: 'the service is stopping' };
    const because = this.#liveness?.stalledBecause ?? this.#gateway?.unreadyBecause;
    return { ready: because === undefined, because };
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    const deadline = AbortSignal.timeout(this.#options.configuration.values['service.drainDeadline']);
    const { mode, configuration } = this.#options;
    // A worker leaves the rest of its queue to the next one, and any process what others go on with.
    const finishes = mode === 'start' && isExclusive(queueAddress(configuration.values));
    const rest = finishes ? ', and what waits is persisted' : '';
    this.#options.logger.info(`stopping: requests under way are finished${rest}`);
    await Promise.all([this.#listening?.server.drain(deadline), this.#gateway?.drain(deadline)]);
    if (finishes) await this.#untilCaughtUp(deadline);
  }

  async #untilCaughtUp(deadline: AbortSignal): Promise<void> {
    const { queue, store } = this.#opened;
    while (queue !== undefined && !deadline.aborted && lagOf(await readPartitions(queue, store)) > 0) {
      await systemClock.sleep(10, deadline).catch(() => undefined);
    }
    if (deadline.aborted)
      this.#options.logger.warn('the deadline passed: what waits is persisted after the next start');
  }

  async #close(): Promise<void> {
    const { worker, queue, store } = this.#opened;
    const dataDir = this.#options.configuration.values.dataDir;
    const closers = [
      async () => this.#gateway?.close(),
      async () => this.#listening?.server.close(),
      async () => this.#listening?.metrics.close(),
      async () => this.#service?.close(),
      async () => (this.#address === undefined ? undefined : removeServiceAddress(dataDir, this.#address)),
      async () => worker?.close(),
      async () => queue?.close(),
      async () => store.close(),
    ];
    const failures: unknown[] = [];
    for (const close of closers) await this.#inTime(close()).catch((error: unknown) => failures.push(error));
    if (failures.length > 0 && !this.#isStuck) throw failures[0];
  }

  /** The result of `work`. Throws `STALLED` when it does not come in time, and at once when something is stuck already. */
  async #inTime<Result>(work: Promise<Result>): Promise<Result> {
    const late = new AbortController();
    const tooLate = awakeFor(this.#isStuck ? 0 : closingDeadline, systemClock, late.signal).then(() => {
      this.#isStuck = true;
      throw new PersistenceError('STALLED', 'the store or the queue did not finish what was under way');
    });
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      late.abort();
      await tooLate.catch(() => undefined);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
