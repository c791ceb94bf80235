import type { Logger } from 'pino';
import { showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { parseWriter } from '../domain/identifiers.ts';
import { type Line, splitLines } from '../domain/lines.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { checkInput } from '../publisher/check-input.ts';
import { readNumbered, readUnnumbered } from '../publisher/input-event.ts';
import { publishAs } from '../publisher/publish-as.ts';
import { type Published, publishNumbered } from '../publisher/publish-lines.ts';
import { untilCaughtUp } from '../publisher/until-caught-up.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import { logPipeline } from '../telemetry/pipeline-log.ts';
import { isExclusive, openQueue, openStore, queueAddress, storeAddress } from './open.ts';
import { createPipeline } from './worker.ts';

export type { Published };

export interface PublishRequest {
  readonly values: Values;
  readonly logger: Logger;
  /** Reads the input from its start; called twice. */
  readonly input: () => AsyncIterable<Uint8Array>;
  /** Who claims the sessions and numbers the events; undefined: they are sent as they are. */
  readonly as: string | undefined;
  readonly signal: AbortSignal;
  /** Told when the queue is full, once. */
  readonly onFull: () => void;
  /** Told all that was published, whenever there is more. */
  readonly onPublished: (published: Published) => void;
}

/**
 * Publishes an NDJSON input to the configured queue. The whole input is read and checked before anything is sent:
 * `INVALID_INPUT` or `MIXED_EVENTS` when it cannot be sent as it is. While an embedded queue is open here nobody else
 * can work on it, so this process persists itself where publishing has to wait for that.
 */
export async function publishInput(request: PublishRequest): Promise<Published> {
  const writer = request.as === undefined ? undefined : parseWriter(request.as);
  const address = queueAddress(request.values);
  if (address.kind === 'memory') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'a queue in memory would be lost with this process: name another with --queue',
    );
  }
  const lines = (): AsyncIterable<Line> => splitLines(request.input());
  const read = writer === undefined ? readNumbered : (text: Uint8Array) => readUnnumbered(text, writer);
  await checkInput(untilAborted(lines(), request.signal), read);

  const queue = await openQueue(address, request.values);
  await using persister = new Persister(queue, isExclusive(address), request);
  const signal = AbortSignal.any([request.signal, persister.failed]);
  const options = { sink: queue, signal, onFull: () => persister.onFull(), onPublished: request.onPublished };
  try {
    if (writer === undefined) return await publishNumbered(lines(), readNumbered, options);
    const store = await persister.start();
    // What the queue holds may open or claim sessions: a claim made before that is applied would come too late.
    await untilCaughtUp(queue, store, systemClock, signal);
    await using watch = new StoreWatch({ store, clock: systemClock, polls: true });
    return await publishAs(lines(), { ...options, writer, watch, clock: systemClock });
  } catch (error) {
    throw persister.failure ?? error;
  }
}

/** Persists in this process what nobody else can persist while the queue is open here. Closes the queue as well. */
class Persister implements AsyncDisposable {
  readonly #queue: Queue;
  readonly #isNeeded: boolean;
  readonly #request: PublishRequest;
  readonly #failed = new AbortController();
  #store: Promise<Store> | undefined;
  #pipeline: Pipeline | undefined;
  #isFull = false;

  constructor(queue: Queue, isNeeded: boolean, request: PublishRequest) {
    this.#queue = queue;
    this.#isNeeded = isNeeded;
    this.#request = request;
  }

  /** Aborted when persisting failed for good: nobody need wait for it any longer. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Why persisting failed. */
  get failure(): unknown {
    return this.failed.aborted ? this.failed.reason : undefined;
  }

  /** Opens the store, and starts persisting where nobody else can. */
  start(): Promise<Store> {
    this.#store ??= this.#start();
    return this.#store;
  }

  onFull(): void {
    if (!this.#isFull) this.#request.onFull();
    this.#isFull = true;
    if (this.#isNeeded) this.start().catch((error: unknown) => this.#failed.abort(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const store = await this.#store?.catch(() => undefined);
      await this.#pipeline?.close();
      await store?.close();
    } finally {
      await this.#queue.close();
    }
  }

  async #start(): Promise<Store> {
    const { values, logger } = this.#request;
    const store = await openStore(storeAddress(values));
    if (!this.#isNeeded) return store;
    logger.debug({ store: showAddress(storeAddress(values)) }, 'persisting in this process');
    this.#pipeline = createPipeline(this.#queue, store, values);
    logPipeline(this.#pipeline, logger);
    this.#pipeline.run().catch((error: unknown) => this.#failed.abort(error));
    return store;
  }
}

async function* untilAborted(lines: AsyncIterable<Line>, signal: AbortSignal): AsyncGenerator<Line> {
  for await (const line of lines) {
    if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted before anything was sent');
    yield line;
  }
}
