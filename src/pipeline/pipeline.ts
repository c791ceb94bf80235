import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPersistenceError, PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { DeadLetter, StoredPosition, Tally } from '../domain/plan.ts';
import { addTally, emptyTally } from '../domain/rule/tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { Consumer, Queue, QueuedDelivery, TakeLimits } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { PipelineEvents, PipelineState } from '../ports/telemetry.ts';
import { type DecidedBatch, Decider } from './decider.ts';
import { refuseLostBeginning, refuseReplacedSource } from './known-source.ts';
import { type Backoff, Retrier } from './retrier.ts';

export interface PipelineOptions {
  readonly queue: Queue;
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

/** A commit on its way: `stale` when a session had changed meanwhile, so that its deliveries must be decided again. */
interface PendingBatch {
  readonly batch: DecidedBatch;
  readonly outcome: Promise<'committed' | 'stale'>;
}

const nothing: readonly QueuedDelivery[] = [];

/**
 * Takes batches of several partitions from a queue, decides them, commits them to a store and acknowledges them.
 * While one commit is being written the next batch is taken and decided; commits never overlap, and at most two
 * batches are in memory. See {@link PipelineState} for its life. The queue and the store belong to whoever opened them.
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
  /** Settles with the latest commit. */
  #settled: Promise<unknown> = Promise.resolve();
  #taking = false;
  #whenTaking: (() => void)[] = [];

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

  get summary(): PipelineSummary {
    return this.#summary;
  }

  /** Works until {@link stop} is called. Rejects with the first error that no retry mends. */
  run(): Promise<PipelineSummary> {
    return this.#start(() => false);
  }

  /** Persists everything that the queue holds at this moment, then ends. */
  async runUntilCaughtUp(): Promise<PipelineSummary> {
    const bounds = [...(await this.#options.queue.bounds())];
    const isCaughtUp = () =>
      bounds.every(([partition, { start, end }]) => start === end || this.#decider.nextOffset(partition) >= end);
    return this.#start(isCaughtUp);
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
      await using consumer = await this.#retrier.run(() =>
        this.#options.queue.consume({
          assigned: (partitions) => this.#assign(partitions),
          revoked: (partitions) => this.#release(partitions),
        }),
      );
      await this.#consume(consumer, isDone);
    } catch (error) {
      if (!(this.#state === 'stopping' && isPersistenceError(error, 'ABORTED'))) throw this.#fail(error);
    }
    this.#enter('stopped');
    return this.#summary;
  }

  async #consume(consumer: Consumer, isDone: () => boolean): Promise<void> {
    let backlog = nothing;
    let pending: PendingBatch | undefined;
    for (;;) {
      const ending = this.#ending.signal.aborted || isDone();
      if (backlog.length === 0 && !ending) backlog = await this.#take(consumer);
      const [decided] = await Promise.allSettled([backlog.length === 0 ? undefined : this.#decide(backlog)]);
      // What became of the commit under way comes first: deciding on it may have failed only because it did.
      const stale = await this.#finish(pending);
      pending = undefined;
      if (stale.length > 0) backlog = [...stale, ...backlog];
      else if (decided.status === 'rejected') throw decided.reason;
      else if (decided.value === undefined) return;
      else {
        backlog = backlog.slice(decided.value.deliveries.length);
        pending = this.#begin(consumer, decided.value);
      }
    }
  }

  #decide(deliveries: readonly QueuedDelivery[]): Promise<DecidedBatch> {
    return this.#retrier.run(() => this.#decider.decide(deliveries));
  }

  async #take(consumer: Consumer): Promise<readonly QueuedDelivery[]> {
    this.#taking = true;
    for (const tell of this.#whenTaking.splice(0)) tell();
    try {
      const taken = await consumer.take(this.#options.limits, this.#ending.signal);
      if (taken.length > 0 || this.#ending.signal.aborted) return taken;
      throw new PersistenceError('QUEUE_CLOSED', 'the queue stopped delivering while the worker was running');
    } finally {
      this.#taking = false;
    }
  }

  #begin(consumer: Consumer, batch: DecidedBatch): PendingBatch {
    const outcome = this.#commit(consumer, batch);
    // The failure itself is seen by whoever awaits the outcome; here it only ends the wait for deliveries.
    this.#settled = outcome.catch(() => this.#ending.abort());
    this.#decider.advance(batch, this.#settled);
    return { batch, outcome };
  }

  /** Waits for the commit under way. Returns the deliveries that have to be decided again. */
  async #finish(pending: PendingBatch | undefined): Promise<readonly QueuedDelivery[]> {
    if (pending === undefined || (await pending.outcome) === 'committed') return nothing;
    await this.#retrier.run(() => this.#decider.rewind());
    return pending.batch.deliveries;
  }

  async #commit(consumer: Consumer, { plan, deliveries }: DecidedBatch): Promise<'committed' | 'stale'> {
    const { store, clock } = this.#options;
    const start = clock.elapsed();
    try {
      await this.#retrier.run(() => store.commit(plan));
    } catch (error) {
      if (isPersistenceError(error, 'CURSOR_MISMATCH')) return 'stale';
      throw error;
    }
    const milliseconds = clock.elapsed() - start;
    await consumer.acknowledge(new Map(plan.positions.map(({ partition, to }) => [partition, to])));
    const bytes = deliveries.reduce((sum, delivery) => sum + delivery.bytes, 0);
    this.#summary.deliveries += deliveries.length;
    this.#summary.bytes += bytes;
    this.#summary.commits += 1;
    addTally(this.#summary.tally, plan.tally);
    const { changes, tally, positions } = plan;
    this.emit('committed', {
      deliveries: deliveries.length,
      bytes,
      changes,
      tally,
      positions,
      milliseconds,
    });
    for (const letter of deadLettersOf(plan)) this.emit('deadLetter', letter);
    return 'committed';
  }

  async #assign(partitions: readonly number[]): Promise<ReadonlyMap<number, StoredPosition | undefined>> {
    const { store, queue, acceptsNewQueue } = this.#options;
    if (acceptsNewQueue !== true) await refuseReplacedSource(store, queue.source);
    const positions = await this.#decider.assign(partitions);
    if (acceptsNewQueue !== true) refuseLostBeginning(positions, await queue.bounds());
    return positions;
  }

  /** Resolves once every batch that was taken before is committed or given up. */
  async #release(partitions: readonly number[]): Promise<void> {
    // A take that has just resolved hands its deliveries over first.
    await nextTurn();
    if (!this.#taking && this.#state !== 'stopped' && this.#state !== 'failed') {
      await new Promise<void>((resolve) => this.#whenTaking.push(resolve));
    }
    await this.#settled;
    this.#decider.release(partitions);
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
    if (state === 'stopped' || state === 'failed') for (const tell of this.#whenTaking.splice(0)) tell();
    this.emit('state', from, state);
  }
}

function deadLettersOf(plan: DecidedBatch['plan']): readonly DeadLetter[] {
  const ofSessions = plan.changes.flatMap(({ filed }) => filed.filter((record) => record.kind === 'dead letter'));
  return [...plan.unreadable, ...ofSessions];
}
