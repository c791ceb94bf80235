import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import type { SessionId } from '../../../domain/identifiers.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Bell } from '../../bell.ts';
import type { Outage } from '../../outage.ts';
import { partitionMemory } from '../../partition-memory.ts';
import { Backoffs, pauseBefore } from '../../patience.ts';
import { whileWaiting } from '../../time-limit.ts';
import { RepeatedHeaders } from '../protocol/repeated-headers.ts';
import { FetchLoop, type FetchOutcome, fetchOnce, type RoutedFeed } from './fetch-loop.ts';
import { fetchSizes } from './fetch-sizes.ts';
import { type FeedStart, PartitionFeed } from './partition-feed.ts';
import { readBoundsFrom } from './read-bounds.ts';
import type { TopicBrokers } from './topic-brokers.ts';

/** Times in milliseconds. */
export interface FetcherParts {
  /** Connections of their own, each time. */
  readonly openBrokers: () => TopicBrokers;
  readonly clock: Clock;
  readonly outage: Outage;
  /** Most that the broker lets a fetch wait. */
  readonly maxWait: number;
  readonly requestTimeout: number;
  /** How often the topic is looked at, whether or not anything failed: it may be another one. */
  readonly lookInterval: number;
  /** Something can be taken. */
  readonly onArrived: () => void;
  /** Nothing more is fetched, for a reason that no retry mends. */
  readonly onFailed: (error: PersistenceError) => void;
}

const part = 'fetch';

/**
 * Fetches partitions from whoever leads them, and goes on doing so whatever becomes of leaders, brokers and
 * connections. A partition is *stray* while nobody fetches it: at its start, and after every failure. A stray one is
 * looked up, checked for what the brokers hold of it, fetched once without waiting (which verifies the record before
 * it), and then given to the loop of its leader.
 */
export class PartitionFetcher {
  readonly #parts: FetcherParts;
  readonly #brokers: TopicBrokers;
  readonly #repeated = new RepeatedHeaders();
  readonly #partitionOf: (session: SessionId) => number;
  readonly #feeds = new Map<number, PartitionFeed>();
  readonly #stray = new Set<PartitionFeed>();
  readonly #verified = new Map<PartitionFeed, () => void>();
  readonly #loops = new Map<number, FetchLoop>();
  readonly #ended = new AbortController();
  readonly #strayed = new Bell();
  readonly #backoff: Backoffs;
  #failures = 0;
  #running: Promise<void> | undefined;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#brokers = parts.openBrokers();
    this.#partitionOf = partitionMemory(this.#brokers.topic.partitions);
    this.#backoff = new Backoffs(parts.clock);
  }

  get feeds(): ReadonlyMap<number, PartitionFeed> {
    return this.#feeds;
  }

  /** Starts fetching. Resolves once the brokers are known to hold what comes next, or it was removed again. */
  add(starts: ReadonlyMap<number, FeedStart>): Promise<void> {
    const verified = [...starts].map(([partition, start]) => {
      const place = { partition, partitions: this.#brokers.topic.partitions, partitionOf: this.#partitionOf };
      const feed = new PartitionFeed(place, start, this.#repeated);
      this.#feeds.set(partition, feed);
      this.#stray.add(feed);
      return new Promise<void>((resolve) => this.#verified.set(feed, resolve));
    });
    this.#running ??= this.#run();
    this.#strayed.ring();
    return Promise.all(verified).then(() => undefined);
  }

  /** Fetches nothing more of these, and forgets what it has of them. */
  remove(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const feed = this.#feeds.get(partition);
      if (feed === undefined) continue;
      this.#feeds.delete(partition);
      this.#stray.delete(feed);
      this.#settle(feed);
    }
    for (const loop of this.#loops.values()) loop.remove(partitions);
    this.taken();
  }

  /** Something was taken, or is held no more: there may be room. */
  taken(): void {
    for (const loop of this.#loops.values()) loop.wake();
  }

  /** Ends every request under way. Idempotent. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#parts.outage.over(part);
    this.remove([...this.#feeds.keys()]);
    await Promise.all([this.#brokers.close(), ...[...this.#loops.values()].map((loop) => loop.close())]);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, lookInterval } = this.#parts;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#route();
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(toPersistenceError(error));
      }
      await this.#idle(lookInterval);
      if (this.#failures > 0) await clock.sleep(pauseBefore(this.#failures), signal).catch(() => undefined);
    }
  }

  /** Waits until a partition strays, or for so long. */
  async #idle(milliseconds: number): Promise<void> {
    if (this.#stray.size > 0) return;
    await whileWaiting([this.#ended.signal], (over) => {
      const late = this.#parts.clock.sleep(milliseconds, over).catch(() => undefined);
      return Promise.race([this.#strayed.wait(over), late]);
    });
  }

  /** Looks at the topic, and finds for every stray partition whoever is to fetch it. */
  async #route(): Promise<void> {
    const leaders = await this.#brokers.leaders(this.#ended.signal);
    const byNode = new Map<number, RoutedFeed[]>();
    for (const feed of this.#stray) {
      const leader = leaders.get(feed.partition);
      if (leader === undefined || leader.node < 0) {
        this.#failed(new PersistenceError('QUEUE_UNAVAILABLE', `nobody leads partition ${feed.partition} at present`));
        continue;
      }
      if (this.#backoff.isPausing(leader.node)) continue;
      byNode.set(leader.node, [...(byNode.get(leader.node) ?? []), { feed, leader }]);
    }
    await Promise.all([...byNode].map(([node, routed]) => this.#begin(node, routed)));
    if (this.#stray.size > 0) this.#failures += 1;
    else this.#parts.outage.over(part);
  }

  /** Checks what the leader holds, fetches once, and gives what succeeds to the leader's loop. */
  async #begin(node: number, routed: readonly RoutedFeed[]): Promise<void> {
    try {
      const { dropped, failure } = await this.#first(node, routed);
      if (this.#ended.signal.aborted) return;
      if (failure !== undefined) this.#failed(failure);
      this.#backoff.succeeded(node);
      const begun = routed.filter(({ feed }) => this.#stray.has(feed) && feed.isVerified && !dropped.includes(feed));
      if (begun.length === 0) return;
      for (const { feed } of begun) {
        this.#stray.delete(feed);
        this.#settle(feed);
      }
      this.#loopOf(node).add(begun);
      this.#parts.onArrived();
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      // Another broker's partitions are not to wait for this one.
      this.#backoff.failed(node);
      this.#failed(toPersistenceError(error));
    }
  }

  async #first(node: number, routed: readonly RoutedFeed[]): Promise<FetchOutcome> {
    const { signal } = this.#ended;
    const doubtful = routed.filter(({ feed }) => feed.needsBounds);
    const led = doubtful.map(({ feed, leader }) => ({ partition: feed.partition, leaderEpoch: leader.epoch }));
    const bounds = await readBoundsFrom(this.#brokers, node, led, signal);
    for (const { feed } of doubtful) {
      const held = bounds.get(feed.partition);
      const failure = held === undefined ? undefined : feed.bounded(held);
      if (failure !== undefined && this.#stray.has(feed)) return { dropped: [feed], failure };
    }
    return await fetchOnce(this.#brokers, routed, 0, this.#parts.requestTimeout, signal);
  }

  #loopOf(node: number): FetchLoop {
    const known = this.#loops.get(node);
    if (known !== undefined && !known.isEnded) return known;
    const { openBrokers, maxWait, requestTimeout, outage, onArrived } = this.#parts;
    const loop = new FetchLoop({
      brokers: openBrokers(),
      maxWait,
      requestTimeout,
      hasRoom: () => this.#heldBytes() < fetchSizes.held,
      onAnswered: () => {
        this.#failures = 0;
        if (this.#stray.size === 0) outage.over(part);
        onArrived();
      },
      onDropped: (outcome) => this.#dropped(outcome),
    });
    this.#loops.set(node, loop);
    return loop;
  }

  #heldBytes(): number {
    let held = 0;
    for (const feed of this.#feeds.values()) held += feed.bufferedBytes;
    return held;
  }

  #dropped({ dropped, failure }: FetchOutcome): void {
    for (const feed of dropped) {
      if (this.#feeds.get(feed.partition) !== feed) continue;
      feed.interrupt();
      this.#stray.add(feed);
    }
    if (failure !== undefined) this.#failed(failure);
    this.#strayed.ring();
  }

  #failed(failure: PersistenceError): void {
    this.#failures += 1;
    if (failure.retryable) this.#parts.outage.failed(part, failure);
    else this.#parts.onFailed(failure);
  }

  #settle(feed: PartitionFeed): void {
    this.#verified.get(feed)?.();
    this.#verified.delete(feed);
  }
}
