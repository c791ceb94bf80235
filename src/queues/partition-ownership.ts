import { isPersistenceError, type PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { AssignmentHandler } from '../ports/queue.ts';
import { pauseBefore } from './patience.ts';

export interface OwnershipParts {
  readonly handler: AssignmentHandler;
  readonly clock: Clock;
  /** Most milliseconds for which a partition is kept from others because its batches are not settled. */
  readonly drainTimeout: number;
  /** Starts fetching; resolves once the positions are known to be held, or given up by {@link stop}. */
  readonly start: (positions: ReadonlyMap<number, StoredPosition | undefined>) => Promise<void>;
  /** Delivers nothing more of these, at once. */
  readonly stop: (partitions: readonly number[]) => void;
  /** The batches of these are settled, and they still are this member's. */
  readonly settled: (partitions: readonly number[]) => Promise<void>;
  /** Something was given up that others may have now. */
  readonly freed: () => void;
  readonly onAssigned: (partitions: readonly number[]) => void;
  readonly onRevoked: (partitions: readonly number[]) => void;
  readonly onFailed: (error: PersistenceError) => void;
}

/**
 * Works on the partitions that the group gives to this member. A partition goes through:
 *
 *     (none) ──assigned──▶ starting ──positions verified──▶ working ──to be given up──▶ draining ──settled──▶ (none)
 *     any ──lost──▶ (none)
 *
 * The handler is called one call at a time, in the order of what happened. Until a partition is drained this member
 * owns it, so that nobody else gets it; what is lost is drained as well before it can start again here.
 */
export class PartitionOwnership {
  readonly #parts: OwnershipParts;
  readonly #owned = new Map<number, 'starting' | 'working' | 'draining'>();
  #assigned: readonly number[] = [];
  #starting = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #isStarted = false;
  /** Nothing is started any more. */
  #isEnding = false;
  #isClosed = false;

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
  }

  /** All that nobody else may work on. */
  get owned(): readonly number[] {
    return [...this.#owned.keys()].sort((one, other) => one - other);
  }

  /** From now on exactly these. Resolves once that is so, or overtaken by something else. */
  assign(partitions: readonly number[]): Promise<void> {
    if (this.#isEnding) return this.#work;
    this.#assigned = partitions;
    const going = this.owned.filter((partition) => !partitions.includes(partition));
    this.#stop(going);
    for (const partition of going) this.#owned.set(partition, 'draining');
    return this.#enqueue(() => this.#settle());
  }

  /** Others have everything already. */
  lose(): Promise<void> {
    const lost = this.owned;
    this.#assigned = [];
    this.#owned.clear();
    this.#stop(lost);
    if (lost.length === 0) return this.#work;
    this.#parts.onRevoked(lost);
    return this.#enqueue(() => this.#parts.handler.revoked(lost));
  }

  /** Delivers nothing more, and resolves once every batch is settled. */
  drain(): Promise<void> {
    const drained = this.assign([]);
    this.#isEnding = true;
    return drained;
  }

  /** Delivers nothing more, and settles nothing. */
  close(): void {
    this.#isClosed = true;
    const owned = this.owned;
    this.#owned.clear();
    this.#stop(owned);
    if (owned.length > 0) this.#parts.onRevoked(owned);
  }

  #stop(going: readonly number[]): void {
    if (going.some((partition) => this.#owned.get(partition) !== 'working')) this.#starting.abort();
    this.#parts.stop(going);
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await step();
      } catch (error) {
        if (!this.#isClosed) this.#parts.onFailed(toPersistenceError(error));
      }
    });
    return this.#work;
  }

  async #settle(): Promise<void> {
    const going = [...this.#owned].filter(([, stage]) => stage === 'draining').map(([partition]) => partition);
    if (going.length > 0) await this.#drain(going);
    // What was about to start when something else changed starts again.
    const coming = this.#assigned.filter((partition) => this.#owned.get(partition) !== 'working');
    if (coming.length > 0 && !this.#isClosed) await this.#start(coming);
  }

  async #drain(going: readonly number[]): Promise<void> {
    const { handler, clock, drainTimeout, settled, freed, onRevoked } = this.#parts;
    const over = new AbortController();
    const isSettled = handler.revoked(going).finally(() => over.abort());
    // A store that does not answer must not keep others from working: what it still takes is refused by its positions.
    await Promise.race([isSettled, clock.sleep(drainTimeout, over.signal).catch(() => isSettled)]);
    const given = going.filter((partition) => this.#owned.get(partition) === 'draining');
    if (given.length > 0) {
      if (over.signal.aborted) await settled(given);
      for (const partition of given) this.#owned.delete(partition);
      onRevoked(given);
      if (!this.#isEnding) freed();
    }
    await isSettled;
  }

  async #start(coming: readonly number[]): Promise<void> {
    const { start, onAssigned } = this.#parts;
    const starting = new AbortController();
    this.#starting = starting;
    for (const partition of coming) this.#owned.set(partition, 'starting');
    const positions = await this.#positions(coming, starting.signal);
    if (positions === undefined || this.#isClosed) return;
    // Some of them may be on their way out again.
    const wanted = coming.filter((partition) => this.#owned.get(partition) === 'starting');
    await start(new Map(wanted.map((partition) => [partition, positions.get(partition)])));
    const working = wanted.filter((partition) => this.#owned.get(partition) === 'starting');
    for (const partition of working) this.#owned.set(partition, 'working');
    this.#isStarted = true;
    if (working.length > 0 && !this.#isClosed) onAssigned(working);
  }

  /** What the handler says, asked again while the store does not answer; undefined once the partitions are to go. */
  async #positions(
    partitions: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, StoredPosition | undefined> | undefined> {
    const { handler, clock } = this.#parts;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        return await handler.assigned(partitions);
      } catch (error) {
        // At the very start whoever consumes sees it, and consumes again.
        if (!this.#isStarted || !isPersistenceError(error) || !error.retryable) throw error;
        await clock.sleep(pauseBefore(attempt), signal).catch(() => undefined);
      }
    }
    return undefined;
  }
}
