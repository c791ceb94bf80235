import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position } from '../domain/delivery.ts';
import { PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { Bell } from './bell.ts';
import { type Publish, Publishes, type Sized, type WaitingRecord } from './publishes.ts';

/** Writes groups of commands, one call at a time. */
export interface GroupWriter<Body> {
  /** Gets ready, so that the first write need not; shuts predecessors out where it can. */
  open(): Promise<void>;
  /**
   * Resolves with where the records stand once all are durable. What fails is tried again for a while; then it rejects
   * with what stood in the way, retryable where another write may succeed, and leaves open what was written.
   */
  write(records: readonly WaitingRecord<Body>[]): Promise<readonly Position[]>;
}

/**
 * The life of a lane:
 *
 *     idle -> lingering -> sending -> idle          lingering: others may come that are sent together with the first
 *      ^  \       ^           |
 *      |   \      +-----------+                     sending: one group is being written, the next one gathers
 *      |    +-> looking -> lingering
 *      +-----------+                                looking: asks the queue whether it answers again
 *
 *     (any) -> closing -> closed                    closing: what is under way is settled, the rest refused
 */
type LaneState = 'idle' | 'lingering' | 'sending' | 'looking' | 'closing' | 'closed';

export interface LaneOptions<Body> {
  readonly writer: GroupWriter<Body>;
  readonly clock: Clock;
  /** Milliseconds for which the first of a group waits for others. */
  readonly lingerMs: number;
  /** Bytes at which a group is full: nothing waits for more of it. */
  readonly groupBytes: number;
  /** Most bytes of commands in memory. */
  readonly maximumWaitingBytes: number;
}

/**
 * Group commit: one group is written at a time, and everything that arrives meanwhile gathers into the next. A group
 * that fails takes along what waits behind it, so that nothing later is written in its stead: whoever published it
 * decides, in order, what to send again.
 */
export class Lane<Body extends Sized> {
  readonly #options: LaneOptions<Body>;
  readonly #publishes: Publishes<Body>;
  readonly #changed = new Bell();
  #state: LaneState = 'idle';
  /** The last thing that was tried failed, and may succeed later. */
  #isDown = false;
  #work: Promise<void> = Promise.resolve();
  /** Ends the lingering before its time. */
  #hurry = new AbortController();

  constructor(options: LaneOptions<Body>) {
    this.#options = options;
    this.#publishes = new Publishes(options.maximumWaitingBytes);
  }

  /** Has the writer get ready, so that the first publish need not wait for that; rejects with what that would. */
  async open(): Promise<void> {
    while (this.#state !== 'idle' && !this.#isEnding) await this.#changed.wait();
    if (this.#isEnding) throw closed();
    await this.#ready();
  }

  /** Resolves with the positions of the records once all are durable; see {@link Publishes.add} and {@link GroupWriter.write}. */
  publish(records: readonly WaitingRecord<Body>[], signal: AbortSignal | undefined): Promise<readonly Position[]> {
    if (this.#isEnding) return Promise.reject(closed());
    const published = this.#publishes.add(records, signal);
    if (this.#publishes.waitingBytes >= this.#options.groupBytes) this.#hurry.abort();
    if (this.#state === 'idle' && !this.#publishes.isEmpty) {
      this.#enter('lingering');
      this.#work = this.#run(this.#options.lingerMs);
    }
    return published.finally(() => this.#changed.ring());
  }

  /** Resolves once there is room for what was refused last, and the queue answers: it is asked until it does. */
  async whenWritable(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      if (this.#isEnding) throw closed();
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'the wait for room in the queue was given up');
      if (this.#publishes.hasRoom && !this.#isDown) return;
      if (this.#isDown && this.#state === 'idle') this.#ready().catch(() => undefined);
      await this.#changed.wait(signal);
    }
  }

  /** Refuses what waits and settles what is under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isEnding) {
      this.#enter('closing');
      this.#refuseWaiting(closed());
      this.#hurry.abort();
    }
    await this.#work;
    this.#enter('closed');
  }

  get #isEnding(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  async #run(lingerMs: number): Promise<void> {
    await this.#linger(lingerMs);
    while (!this.#isEnding && !this.#publishes.isEmpty) {
      this.#enter('sending');
      await this.#write(this.#publishes.take(this.#options.groupBytes));
      this.#enter('lingering');
      // Whoever was answered just now may have more.
      await nextTurn();
    }
    this.#enter('idle');
  }

  async #linger(milliseconds: number): Promise<void> {
    await nextTurn();
    if (milliseconds === 0 || this.#publishes.waitingBytes >= this.#options.groupBytes || this.#isEnding) return;
    this.#hurry = new AbortController();
    await this.#options.clock.sleep(milliseconds, this.#hurry.signal).catch(() => undefined);
  }

  /** Settles as the writer does. */
  #ready(): Promise<void> {
    this.#enter('looking');
    const ready = this.#options.writer.open();
    this.#work = this.#look(ready);
    return ready;
  }

  async #look(ready: Promise<void>): Promise<void> {
    try {
      await ready;
      this.#isDown = false;
    } catch (error) {
      // What no waiting mends is told to whoever publishes next.
      this.#isDown = toPersistenceError(error).retryable;
    }
    this.#enter('lingering');
    await this.#run(0);
  }

  async #write(group: readonly Publish<Body>[]): Promise<void> {
    try {
      const positions = await this.#options.writer.write(group.flatMap(({ records }) => records));
      this.#isDown = false;
      this.#resolve(group, positions);
    } catch (thrown) {
      const error = toPersistenceError(thrown);
      this.#isDown = error.retryable;
      for (const publish of group) {
        this.#publishes.settled(publish);
        publish.reject(error);
      }
      this.#refuseWaiting(error);
    }
  }

  #resolve(group: readonly Publish<Body>[], positions: readonly Position[]): void {
    let next = 0;
    for (const publish of group) {
      const own = positions.slice(next, next + publish.records.length);
      next += publish.records.length;
      this.#publishes.settled(publish);
      publish.resolve(own);
    }
  }

  #refuseWaiting(error: PersistenceError): void {
    for (const publish of this.#publishes.take(Number.POSITIVE_INFINITY)) {
      this.#publishes.settled(publish);
      publish.reject(error);
    }
  }

  #enter(state: LaneState): void {
    if (this.#state === 'closed' || (this.#state === 'closing' && state !== 'closed')) return;
    this.#state = state;
    this.#changed.ring();
  }
}

function closed(): PersistenceError {
  return new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
}
