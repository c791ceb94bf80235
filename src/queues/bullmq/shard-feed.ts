import { isPersistenceError, PersistenceError, toPersistenceError } from '../../domain/errors.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import { Bell } from '../bell.ts';
import type { Feed } from '../delivery-taker.ts';
import type { Outage } from '../outage.ts';
import { pauseBefore } from '../patience.ts';
import { whileWaiting } from '../time-limit.ts';
import type { ShardArchiver } from './archive/shard-archiver.ts';
import type { JobDelivery } from './job-delivery.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { type ReadAhead, stretchBytes } from './read-ahead.ts';
import { RedisShard } from './redis-shard.ts';
import { type ReaderParts, ShardReader } from './shard-reader.ts';
import type { JobEnd } from './trims.ts';

export interface FeedParts extends Omit<ReaderParts, 'waiting'> {
  readonly scripts: LayoutScripts;
  /** Undefined: what is consumed is not archived. */
  readonly archiver: ShardArchiver | undefined;
  /** Rejects where it has to be. */
  readonly refuseWithoutArchive: () => Promise<void>;
  /** What all feeds of a consumer hold together. */
  readonly ahead: ReadAhead;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly onArrived: () => void;
  readonly onFailed: (error: PersistenceError) => void;
}

/** Milliseconds after which an idle shard is looked at although nothing was said: BullMQ's own clients say nothing. */
const lookInterval = 500;

/** A worker that slept goes on from where the store stands: nothing is lost. */
export function overtaken(shard: number): PersistenceError {
  return new PersistenceError('QUEUE_UNAVAILABLE', `another worker has gone on with shard ${shard} meanwhile`);
}

/** Reads a shard ahead of whoever takes from it, from its start until it is closed. */
export class ShardFeed implements Feed {
  readonly #parts: FeedParts;
  readonly #reader: ShardReader;
  readonly #ended = new AbortController();
  readonly #arrived = new Bell();
  #mayHaveArrived = true;
  #deliveries: readonly JobDelivery[] = [];
  #taken = 0;
  #bytes = 0;
  #work: Promise<void> = Promise.resolve();
  /** Where jobs end that were delivered whole and are not known to be stored. */
  #ends: JobEnd[] = [];

  constructor(parts: FeedParts) {
    this.#parts = parts;
    const { scripts, place } = parts;
    this.#reader = new ShardReader({ ...parts, waiting: new RedisShard(scripts, place.shard) });
  }

  get partition(): number {
    return this.#parts.place.shard;
  }

  /** Resolves once the position is known to be held, or this is closed. Rejects with what no retry mends. */
  async start(position: StoredPosition | undefined): Promise<void> {
    const started = this.#insist(() => this.#begin(position));
    this.#work = started
      .then(() => this.#run())
      .catch(() => undefined)
      .then(() => this.#end())
      .catch((error) => this.#parts.onFailed(toPersistenceError(error)));
    await started;
  }

  async #begin(position: StoredPosition | undefined): Promise<void> {
    const { archiver, refuseWithoutArchive } = this.#parts;
    await (archiver === undefined ? refuseWithoutArchive() : archiver.begin(position?.next ?? 0));
    if (position === undefined) return await this.#reader.startAt(undefined);
    const job = await this.#reader.startBehind(position);
    if (job !== undefined) this.#ends.push({ ...position, job });
  }

  peek(): JobDelivery | undefined {
    return this.#deliveries[this.#taken];
  }

  advance(): void {
    const delivery = this.#deliveries[this.#taken];
    if (delivery === undefined) return;
    this.#taken += 1;
    this.#release(delivery.bytes);
    const job = delivery.endedJob;
    if (job === undefined) return;
    this.#ends.push({ next: delivery.position.offset + 1, digest: delivery.recordDigest(), job });
  }

  /** Jobs may have come. */
  arrived(): void {
    this.#mayHaveArrived = true;
    this.#arrived.ring();
  }

  /** Everything before `next` is stored: the end of the last job that lies before it whole, if there is a new one. */
  stored(next: number): JobEnd | undefined {
    this.#parts.archiver?.stored(next);
    let last: JobEnd | undefined;
    const rest = this.#ends.filter((end) => {
      if (end.next > next) return true;
      last = end;
      return false;
    });
    this.#ends = rest;
    return last;
  }

  /** Delivers nothing more. Idempotent. */
  close(): void {
    this.#ended.abort();
    this.#deliveries = [];
    this.#taken = 0;
    this.#release(this.#bytes);
    this.#parts.outage.over(this.#part);
  }

  /** Resolves once nothing is being read any more. */
  settled(): Promise<void> {
    return this.#work;
  }

  get #part(): string {
    return `shard ${this.partition}`;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const { ahead, onFailed } = this.#parts;
    try {
      while (!signal.aborted) {
        if (this.#reader.isAtEnd) {
          await this.#waitForMore();
          await ahead.room(signal);
          await this.#read();
        } else await ahead.turn(signal, () => this.#readStretch());
      }
    } catch (error) {
      onFailed(this.#reader.isOvertaken ? overtaken(this.partition) : toPersistenceError(error));
    }
  }

  async #end(): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
    await this.#parts.archiver?.close();
  }

  async #readStretch(): Promise<void> {
    let bytes = 0;
    do bytes += await this.#read();
    while (bytes < stretchBytes && !this.#reader.isAtEnd && !this.#ended.signal.aborted);
  }

  /** Reads on. Returns how many bytes there were. */
  async #read(): Promise<number> {
    this.#mayHaveArrived = false;
    const read = await this.#insist(() => this.#reader.read());
    if (read === undefined || read.length === 0 || this.#ended.signal.aborted) return 0;
    const bytes = read.reduce((sum, delivery) => sum + delivery.bytes, 0);
    this.#deliveries = [...this.#deliveries.slice(this.#taken), ...read];
    this.#taken = 0;
    this.#bytes += bytes;
    this.#parts.ahead.hold(bytes);
    this.#parts.onArrived();
    return bytes;
  }

  #release(bytes: number): void {
    this.#bytes -= bytes;
    this.#parts.ahead.release(bytes);
  }

  async #waitForMore(): Promise<void> {
    await whileWaiting([this.#ended.signal], async (over) => {
      const late = this.#parts.clock.sleep(lookInterval, over).catch(() => undefined);
      while (!this.#mayHaveArrived && !over.aborted) {
        const arrived = this.#arrived.wait(over).then(() => true);
        if ((await Promise.race([arrived, late])) === undefined) return;
      }
    });
  }

  /** Tries until it succeeds; undefined once this is closed. */
  async #insist<Result>(operation: () => Promise<Result>): Promise<Result | undefined> {
    const { clock, outage } = this.#parts;
    const { signal } = this.#ended;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const result = await operation();
        outage.over(this.#part);
        return result;
      } catch (error) {
        if (signal.aborted) break;
        if (!isPersistenceError(error) || !error.retryable) throw error;
        outage.failed(this.#part, error);
      }
      await clock.sleep(pauseBefore(attempt), signal).catch(() => undefined);
    }
    return undefined;
  }
}
