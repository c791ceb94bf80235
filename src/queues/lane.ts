import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position } from '../../../domain/delivery.ts';
import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Bell } from '../../bell.ts';
import { type BatchPlace, batchRecords, type PlacedRecord } from './batches.ts';
import type { Producer } from './producer.ts';
import { type Publish, Publishes, type WaitingRecord } from './publishes.ts';
import type { BatchCodec } from './record-batch.ts';
import { positionOf } from './record-writer.ts';

/**
 * The life of a lane:
 *
 *     idle -> lingering -> sending -> idle          lingering: others may come that are sent together with the first
 *      ^  \       ^           |
 *      |   \      +-----------+                     sending: one group is being written, the next one gathers
 *      |    +-> looking -> lingering
 *      +-----------+                                looking: asks the brokers whether they answer again
 *
 *     (any) -> closing -> closed                    closing: what is under way is settled, the rest refused
 */
type LaneState = 'idle' | 'lingering' | 'sending' | 'looking' | 'closing' | 'closed';

export interface LaneOptions {
  readonly producer: Producer;
  readonly clock: Clock;
  /** Milliseconds for which the first of a group waits for others. */
  readonly lingerMs: number;
  /** Most bytes of a record batch; a larger record has one of its own. */
  readonly batchBytes: number;
  readonly codec: BatchCodec | undefined;
  /** Most bytes of commands in memory. */
  readonly maximumWaitingBytes: number;
}

/** How much is written as one group: enough for full batches of many partitions, small enough to be answered soon. */
const batchesOfGroup = 8;
const mostGroupBytes = 32 * 1024 * 1024;

/**
 * Group commit: one group is written at a time, and everything that arrives meanwhile gathers into the next. A group
 * that fails takes along what waits behind it, so that nothing later is written in its stead: whoever published it
 * decides, in order, what to send again.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #publishes: Publishes;
  readonly #changed = new Bell();
  #state: LaneState = 'idle';
  /** The last thing that was tried failed, and may succeed later. */
  #isDown = false;
  #work: Promise<void> = Promise.resolve();
  /** Ends the lingering before its time. */
  #hurry = new AbortController();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#publishes = new Publishes(options.maximumWaitingBytes);
  }

  /** Has the producer get ready, so that the first publish need not wait for that; rejects with what that would. */
  async open(): Promise<void> {
    while (this.#state !== 'idle' && !this.#isEnding) await this.#changed.wait();
    if (this.#isEnding) throw closed();
    await this.#ready();
  }

  /** Resolves with the positions of the records once all are durable; see {@link Publishes.add} and `Producer.write`. */
  publish(records: readonly WaitingRecord[], signal: AbortSignal | undefined): Promise<readonly Position[]> {
    if (this.#isEnding) return Promise.reject(closed());
    const published = this.#publishes.add(records, signal);
    if (this.#publishes.waitingBytes >= this.#groupBytes) this.#hurry.abort();
    if (this.#state === 'idle' && !this.#publishes.isEmpty) {
      this.#enter('lingering');
      this.#work = this.#run(this.#options.lingerMs);
    }
    return published.finally(() => this.#changed.ring());
  }

  /** Resolves once there is room for what was refused last, and the brokers answer: they are asked until they do. */
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

  get #groupBytes(): number {
    return Math.min(mostGroupBytes, this.#options.batchBytes * batchesOfGroup);
  }

  async #run(lingerMs: number): Promise<void> {
    await this.#linger(lingerMs);
    while (!this.#isEnding && !this.#publishes.isEmpty) {
      this.#enter('sending');
      await this.#write(this.#publishes.take(this.#groupBytes));
      this.#enter('lingering');
      // Whoever was answered just now may have more.
      await nextTurn();
    }
    this.#enter('idle');
  }

  async #linger(milliseconds: number): Promise<void> {
    await nextTurn();
    if (milliseconds === 0 || this.#publishes.waitingBytes >= this.#groupBytes || this.#isEnding) return;
    this.#hurry = new AbortController();
    await this.#options.clock.sleep(milliseconds, this.#hurry.signal).catch(() => undefined);
  }

  /** Settles as the producer does. */
  #ready(): Promise<void> {
    this.#enter('looking');
    const ready = this.#options.producer.open();
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

  async #write(group: readonly Publish[]): Promise<void> {
    const { producer, clock, batchBytes, codec } = this.#options;
    const timestamp = clock.now();
    const placed: PlacedRecord[] = [];
    for (const { records } of group) {
      for (const { partition, body } of records) placed.push({ partition, record: { timestamp, body } });
    }
    try {
      const { rounds, places } = await batchRecords(placed, { batchBytes, codec });
      await producer.write(rounds);
      this.#isDown = false;
      this.#resolve(group, places);
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

  #resolve(group: readonly Publish[], places: readonly BatchPlace[]): void {
    let next = 0;
    for (const publish of group) {
      const own = places.slice(next, next + publish.records.length);
      next += publish.records.length;
      this.#publishes.settled(publish);
      publish.resolve(own.map(positionOf));
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
