import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { PositionStep } from '../domain/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { BatchSource, DeadLetterCopies, QueuedDelivery, TakeLimits } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { deadLettersOf } from './dead-letters-of.ts';
import type { DecidedBatch, Decider } from './decider.ts';
import type { Retrier } from './retrier.ts';

export interface ConsumptionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly decider: Decider;
  readonly retrier: Retrier;
  readonly limits: TakeLimits;
  /** Where dead letters are copied to before the commit that holds them. */
  readonly copies: DeadLetterCopies | undefined;
  /** Aborted when nothing more shall be taken. */
  readonly ending: AbortController;
  /** Called with what the queue has handed over. */
  readonly onTaken: (deliveries: readonly QueuedDelivery[]) => void;
  /** Called once a commit is durable and acknowledged; it took so many milliseconds. */
  readonly onCommitted: (batch: DecidedBatch, milliseconds: number) => void;
}

/**
 * How a consumption ended. `interrupted`: another worker has gone on with what this one was working on, or the queue
 * let its consumer down; nothing is lost by that, and a new consumer goes on from the stored positions.
 */
export type ConsumptionEnd = 'ended' | 'interrupted';

/** A commit on its way: `stale` when a session had changed meanwhile, so that its deliveries must be decided again. */
interface PendingBatch {
  readonly batch: DecidedBatch;
  readonly outcome: Promise<'committed' | 'stale' | 'displaced'>;
}

const nothing: readonly QueuedDelivery[] = [];

/**
 * What is done with one consumer, from its first take to its end. While one commit is being written the next batch is
 * taken and decided; commits never overlap, and at most two batches are in memory.
 */
export class Consumption {
  readonly #options: ConsumptionOptions;
  readonly #interrupted = new AbortController();
  /** Aborted when nothing more shall be taken from this consumer. */
  readonly #takingEnds: AbortSignal;
  /** Aborted while something has to be decided again: nothing is waited for until that is done. */
  #stale = new AbortController();
  /** Ends a wait for deliveries. */
  #waitEnds: AbortSignal;
  /** Settles with the latest commit. */
  #settled: Promise<unknown> = Promise.resolve();
  #isTaking = false;
  #isOver = false;
  #whenTaking: (() => void)[] = [];

  constructor(options: ConsumptionOptions) {
    this.#options = options;
    this.#takingEnds = AbortSignal.any([options.ending.signal, this.#interrupted.signal]);
    this.#waitEnds = AbortSignal.any([this.#takingEnds, this.#stale.signal]);
  }

  /** Works until it is interrupted or ended, or `isDone` says so. Rejects with the first error that no retry mends. */
  async run(consumer: BatchSource, isDone: () => boolean): Promise<ConsumptionEnd> {
    try {
      await this.#work(consumer, isDone);
      return this.#interrupted.signal.aborted ? 'interrupted' : 'ended';
    } finally {
      this.#isOver = true;
      this.#tellTaking();
    }
  }

  /** Resolves once every batch that was taken before is committed or given up. */
  async settle(): Promise<void> {
    // A take that has just resolved hands its deliveries over first.
    await nextTurn();
    do {
      const isWaiting = this.#isTaking && !this.#stale.signal.aborted;
      if (!isWaiting && !this.#isOver) await new Promise<void>((resolve) => this.#whenTaking.push(resolve));
      await this.#settled;
    } while (this.#stale.signal.aborted && !this.#isOver);
  }

  async #work(consumer: BatchSource, isDone: () => boolean): Promise<void> {
    let backlog = nothing;
    let pending: PendingBatch | undefined;
    for (;;) {
      const ending = this.#takingEnds.aborted || isDone();
      if (backlog.length === 0 && !ending) backlog = await this.#take(consumer, isDone);
      const [decided] = await Promise.allSettled([backlog.length === 0 ? undefined : this.#decide(backlog)]);
      // What became of the commit under way comes first: deciding on it may have failed only because it did.
      const stale = await this.#finish(pending);
      pending = undefined;
      if (this.#interrupted.signal.aborted) return;
      if (stale.length > 0) backlog = [...stale, ...backlog];
      else if (decided.status === 'rejected') await this.#decideAgainAfter(decided.reason);
      else if (decided.value === undefined) return;
      else {
        backlog = backlog.slice(decided.value.taken);
        pending = this.#begin(consumer, decided.value);
      }
    }
  }

  #decide(deliveries: readonly QueuedDelivery[]): Promise<DecidedBatch> {
    return this.#options.retrier.run(() => this.#options.decider.decide(deliveries));
  }

  async #take(consumer: BatchSource, isDone: () => boolean): Promise<readonly QueuedDelivery[]> {
    this.#isTaking = true;
    this.#tellTaking();
    try {
      const taken = await consumer.take(this.#options.limits, this.#waitEnds);
      if (taken.length > 0) this.#options.onTaken(taken);
      if (taken.length > 0 || this.#waitEnds.aborted || isDone()) return taken;
      throw new PersistenceError('QUEUE_CLOSED', 'the queue stopped delivering while the worker was running');
    } catch (error) {
      if (!isPersistenceError(error) || !error.retryable) throw error;
      this.#interrupted.abort();
      return nothing;
    } finally {
      this.#isTaking = false;
    }
  }

  #begin(consumer: BatchSource, batch: DecidedBatch): PendingBatch {
    const outcome = this.#commit(consumer, batch);
    this.#settled = outcome.then(
      (result) => {
        if (result === 'displaced') this.#interrupted.abort();
        if (result === 'stale') this.#stale.abort();
      },
      // The failure itself is seen by whoever awaits the outcome; here it only ends the wait for deliveries.
      () => this.#options.ending.abort(),
    );
    this.#options.decider.advance(batch, this.#settled);
    return { batch, outcome };
  }

  /** Waits for the commit under way. Returns the deliveries that have to be decided again. */
  async #finish(pending: PendingBatch | undefined): Promise<readonly QueuedDelivery[]> {
    const outcome = await pending?.outcome;
    await this.#settled;
    if (pending === undefined || outcome !== 'stale') return nothing;
    await this.#goBack(pending.batch.plan.positions);
    return pending.batch.deliveries;
  }

  /** Throws what kept a batch from being decided, unless that was a session that another worker has changed. */
  async #decideAgainAfter(error: unknown): Promise<void> {
    if (!isPersistenceError(error, 'CURSOR_MISMATCH')) throw error;
    await this.#goBack([]);
  }

  /** What comes is decided on what the store holds; where another worker has gone on with a partition, nothing is. */
  async #goBack(undone: readonly PositionStep[]): Promise<void> {
    const isOurs = await this.#options.retrier.run(() => this.#options.decider.rewind(undone));
    if (!isOurs) this.#interrupted.abort();
    this.#stale = new AbortController();
    this.#waitEnds = AbortSignal.any([this.#takingEnds, this.#stale.signal]);
  }

  async #commit(consumer: BatchSource, batch: DecidedBatch): Promise<'committed' | 'stale' | 'displaced'> {
    const { store, clock, retrier, copies, onCommitted } = this.#options;
    const { plan } = batch;
    if (copies !== undefined) {
      const letters = deadLettersOf(plan);
      // Before the commit: afterwards a crash would leave a dead letter that nobody was told of.
      if (letters.length > 0) await retrier.run(() => copies.copy(letters));
    }
    const start = clock.elapsed();
    try {
      await retrier.run(() => store.commit(plan));
    } catch (error) {
      if (isPersistenceError(error, 'CURSOR_MISMATCH')) return 'stale';
      if (isPersistenceError(error, 'POSITION_MISMATCH') && store.capabilities.shared) return 'displaced';
      throw error;
    }
    const milliseconds = clock.elapsed() - start;
    await consumer.acknowledge(new Map(plan.positions.map(({ partition, to }) => [partition, to])));
    onCommitted(batch, milliseconds);
    return 'committed';
  }

  #tellTaking(): void {
    for (const tell of this.#whenTaking.splice(0)) tell();
  }
}
