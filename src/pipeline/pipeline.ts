import { EventEmitter } from 'node:events';
import { isPersistenceError, type PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { StoredPosition, Tally } from '../domain/plan.ts';
import { addTally, emptyTally } from '../domain/rule/tally.ts';
import type { Clock } from '../ports/clock.ts';
import { refuseIncompleteCopy } from '../ports/incomplete-copy.ts';
import { refusePartialStore } from '../ports/partial-store.ts';
import type { AssignmentHandler, BatchSource, Queue, TakeLimits } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { PipelineEvents, PipelineState } from '../ports/telemetry.ts';
import { Consumption, type ConsumptionEnd } from './consumption.ts';
import { deadLettersOf } from './dead-letters-of.ts';
import { type DecidedBatch, Decider } from './decider.ts';
import { refuseLostBeginning, refuseReplacedSource } from './known-source.ts';
import { type Backoff, Retrier } from './retrier.ts';

/** What a pipeline works through: a queue, or whatever else hands deliveries out as one does. */
export interface PipelineSource extends Pick<Queue, 'source' | 'continues' | 'deadLetterCopies' | 'bounds'> {
  consume(handler: AssignmentHandler, signal: AbortSignal): Promise<BatchSource>;
}

export interface PipelineOptions {
  readonly queue: PipelineSource;
  readonly store: Store;
  readonly clock: Clock;
  /** Most deliveries and bytes that one commit takes. */
  readonly limits: TakeLimits;
  /** About how many session states are kept in memory. */
  readonly cachedSessions: number;
  /** True to consume a queue although the store was filled from another of its kind. Default false: it is refused. */
  readonly acceptsNewQueue?: boolean | undefined;
  /** How long to wait between attempts when the store is down or full. */
  readonly backoff: Backoff;
}

/** What a pipeline did from its start until now. */
export interface PipelineSummary {
  readonly deliveries: number;
  /** Bytes of the deliveries as the queue counts them. */
  readonly bytes: number;
  readonly commits: number;
  readonly tally: Tally;
}

/**
 * Takes batches of several partitions from a queue, decides them, commits them to a store and acknowledges them.
 * What is done with one consumer is a {@link Consumption}; one that was interrupted is followed by another. See
 * {@link PipelineState} for its life. The queue and the store belong to whoever opened them.
 */
export class Pipeline extends EventEmitter<PipelineEvents> implements AsyncDisposable {
  readonly #options: PipelineOptions;
  readonly #decider: Decider;
  readonly #retrier: Retrier;
  /** Aborted when nothing more shall be taken: on stop, and when a commit fails for good. */
  readonly #ending = new AbortController();
  readonly #summary = { deliveries: 0, bytes: 0, commits: 0, tally: emptyTally() };
  #state: PipelineState = 'idle';
  #work: Promise<PipelineSummary> | undefined;
  #consumption: Consumption | undefined;
  /** Settles once what was revoked is let go of. */
  #released: Promise<void> = Promise.resolve();

  constructor(options: PipelineOptions) {
    super();
    this.#options = options;
    this.#decider = new Decider(options.store, options.queue.source, options.cachedSessions);
    this.#retrier = new Retrier(options.clock, options.backoff, this.#ending.signal);
    this.#retrier.on('retrying', (retrying) => {
      this.#enter('waiting');
      this.emit('retrying', retrying);
    });
    this.#retrier.on('recovered', (attempts) => {
      this.#enter('running');
      this.emit('recovered', attempts);
    });
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** The partitions of the queue that are worked on at present. */
  get partitions(): readonly number[] {
    return this.#decider.partitions;
  }

  get summary(): PipelineSummary {
    return this.#summary;
  }

  /** Works until {@link stop} is called. Rejects with the first error that no retry mends. */
  run(): Promise<PipelineSummary> {
    return this.#start(() => false);
  }

  /** Persists everything that the partitions it is given hold at this moment, then ends. */
  async runUntilCaughtUp(): Promise<PipelineSummary> {
    const bounds = await this.#options.queue.bounds();
    // It may have been stopped while the queue was asked, which takes a while when that is away.
    if (this.#state === 'stopped') return this.#summary;
    const isCaughtUp = () =>
      this.#decider.partitions.every((partition) => {
        const { start, end } = bounds.get(partition) ?? { start: 0, end: 0 };
        return start === end || this.#decider.nextOffset(partition) >= end;
      });
    return this.#start(isCaughtUp);
  }

  /** Works until `isDone` says so, which is asked before something is taken, and when nothing came. */
  runUntil(isDone: () => boolean): Promise<PipelineSummary> {
    return this.#start(isDone);
  }

  /** Takes nothing more and finishes the commit under way; one that waits for its store is given up whole. */
  async stop(): Promise<void> {
    if (this.#state === 'running' || this.#state === 'waiting') this.#enter('stopping');
    if (this.#state === 'idle') this.#enter('stopped');
    this.#ending.abort();
    await this.#work?.catch(() => undefined);
  }

  /** The same as {@link stop}. */
  close(): Promise<void> {
    return this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #start(isDone: () => boolean): Promise<PipelineSummary> {
    if (this.#state !== 'idle') throw new TypeError(`a pipeline runs only once; this one is ${this.#state}`);
    this.#enter('running');
    this.#work = this.#runToEnd(isDone);
    return this.#work;
  }

  async #runToEnd(isDone: () => boolean): Promise<PipelineSummary> {
    try {
      for (let end: ConsumptionEnd = 'interrupted'; end === 'interrupted'; ) {
        end = await this.#consume(isDone);
        // What interrupted it may do so again at once.
        if (end === 'interrupted') await this.#pause();
      }
    } catch (error) {
      if (!(this.#state === 'stopping' && isPersistenceError(error, 'ABORTED'))) throw this.#fail(error);
    }
    this.#enter('stopped');
    return this.#summary;
  }

  async #consume(isDone: () => boolean): Promise<ConsumptionEnd> {
    const { store, queue, clock, limits } = this.#options;
    const consumption = new Consumption({
      store,
      clock,
      limits,
      decider: this.#decider,
      retrier: this.#retrier,
      copies: queue.deadLetterCopies,
      ending: this.#ending,
      onTaken: (deliveries) => this.emit('taken', deliveries),
      onCommitted: (batch, milliseconds) => this.#noteCommitted(batch, milliseconds),
    });
    await using consumer = await this.#retrier.run(() =>
      queue.consume(
        {
          fills: { id: store.identity.id, shared: store.capabilities.shared },
          assigned: (partitions) => this.#assign(partitions),
          revoked: (partitions) => this.#release(partitions),
        },
        this.#ending.signal,
      ),
    );
    this.#consumption = consumption;
    const end = await consumption.run(consumer, isDone);
    if (end === 'interrupted') this.emit('interrupted');
    return end;
  }

  async #pause(): Promise<void> {
    const { clock, backoff } = this.#options;
    await clock.sleep(backoff.initial, this.#ending.signal).catch(() => undefined);
    this.#decider.release(this.#decider.partitions);
  }

  #noteCommitted({ plan, deliveries }: DecidedBatch, milliseconds: number): void {
    const bytes = deliveries.reduce((sum, delivery) => sum + delivery.bytes, 0);
    const { changes, tally, positions } = plan;
    this.#summary.deliveries += deliveries.length;
    this.#summary.bytes += bytes;
    this.#summary.commits += 1;
    addTally(this.#summary.tally, tally);
    this.emit('committed', { deliveries: deliveries.length, bytes, changes, tally, positions, milliseconds });
    for (const letter of deadLettersOf(plan)) this.emit('deadLetter', letter);
  }

  async #assign(partitions: readonly number[]): Promise<ReadonlyMap<number, StoredPosition | undefined>> {
    // Given back before what was taken of them was settled: the store may not show all of it yet.
    await this.#released;
    const { store, queue, acceptsNewQueue } = this.#options;
    await refuseIncompleteCopy(store);
    await refusePartialStore(store, queue.source);
    if (acceptsNewQueue !== true) await refuseReplacedSource(store, queue);
    // Asked before the store: what others consume and remove in between shows in the positions.
    const bounds = acceptsNewQueue === true ? undefined : await queue.bounds();
    const positions = await this.#decider.assign(partitions);
    if (bounds !== undefined) refuseLostBeginning(positions, bounds);
    return positions;
  }

  async #release(partitions: readonly number[]): Promise<void> {
    const settled = this.#consumption?.settle();
    this.#released = Promise.all([this.#released, settled]).then(() => this.#decider.release(partitions));
    await this.#released;
  }

  #fail(thrown: unknown): PersistenceError {
    const error = toPersistenceError(thrown);
    this.#enter('failed');
    this.emit('failed', error);
    return error;
  }

  #enter(state: PipelineState): void {
    const from = this.#state;
    if (from === state || from === 'failed' || from === 'stopped') return;
    if (from === 'stopping' && (state === 'running' || state === 'waiting')) return;
    this.#state = state;
    this.emit('state', from, state);
  }
}
