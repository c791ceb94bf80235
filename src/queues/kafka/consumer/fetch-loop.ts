import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import { Bell } from '../../bell.ts';
import { protocolFailure } from '../connection/failures.ts';
import { fetchRequest } from '../protocol/fetch.ts';
import { fetchSizes } from './fetch-sizes.ts';
import type { PartitionFeed } from './partition-feed.ts';
import type { Leader, TopicBrokers } from './topic-brokers.ts';

/** A partition's feed, and who leads the partition as far as is known. */
export interface RoutedFeed {
  readonly feed: PartitionFeed;
  readonly leader: Leader;
}

/** What became of feeds. */
export interface FetchOutcome {
  /** These cannot be fetched from here any more, at least until more is known. */
  readonly dropped: readonly PartitionFeed[];
  /** Why; undefined where there is only something to be looked up. */
  readonly failure: PersistenceError | undefined;
}

const outOfRange = 1;
/** UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID and INCONSISTENT_TOPIC_ID. */
const unknownTopic: readonly number[] = [3, 100, 104];

/**
 * Fetches once from one leader. Rejects with what went wrong for all of them; what went wrong for one is in the
 * outcome, `SOURCE_LOST_HISTORY` and `QUEUE_CORRUPT` included. `maxWait`: most milliseconds that the broker waits for
 * the first record.
 */
export async function fetchOnce(
  brokers: TopicBrokers,
  routed: readonly RoutedFeed[],
  maxWait: number,
  within: number,
  signal: AbortSignal,
): Promise<FetchOutcome> {
  const { topic } = brokers;
  const asked = new Map(routed.map((one) => [one.feed.partition, { ...one, ...one.feed.wanted }]));
  const [first] = routed;
  if (first === undefined) return { dropped: [], failure: undefined };
  const doing = `fetching from topic ${topic.name}`;
  const partitions = [...asked].map(([partition, { offset, maxBytes, leader }]) => ({
    partition,
    offset,
    maxBytes,
    leaderEpoch: leader.epoch,
  }));
  const request = fetchRequest({ topicId: topic.id, partitions, maxWait, minBytes: 1, maxBytes: fetchSizes.answer });
  const answer = await brokers.send(first.leader.node, doing, request, { within, signal });
  if (answer.errorCode !== 0) throw refused(answer.errorCode, doing);
  const dropped: PartitionFeed[] = [];
  let failure: PersistenceError | undefined;
  for (const fetched of answer.partitions) {
    const one = asked.get(fetched.partition);
    if (one === undefined) continue;
    const { feed, offset } = one;
    if (fetched.errorCode === 0) {
      const lost = feed.accept(offset, fetched);
      if (lost === undefined && !feed.needsBounds) continue;
      failure ??= lost;
    } else if (fetched.errorCode === outOfRange) feed.outOfBounds();
    else failure ??= refused(fetched.errorCode, `${doing}, partition ${fetched.partition}`);
    dropped.push(feed);
  }
  return { dropped, failure };
}

/** Whether a topic that a broker does not know is another one now, or only not known yet, is looked up elsewhere. */
function refused(errorCode: number, doing: string): PersistenceError {
  if (!unknownTopic.includes(errorCode)) return protocolFailure(errorCode, doing, 'Read');
  return new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: the broker does not know the topic`);
}

export interface FetchLoopParts {
  /** Connections of its own. */
  readonly brokers: TopicBrokers;
  /** Most milliseconds that the broker lets a fetch wait, and that an answer may take beyond that. */
  readonly maxWait: number;
  readonly requestTimeout: number;
  /** Whether there is room to hold more. */
  readonly hasRoom: () => boolean;
  /** Something was fetched, or could have been. */
  readonly onAnswered: () => void;
  readonly onDropped: (outcome: FetchOutcome) => void;
}

/**
 * Fetches from one broker the partitions that it leads, one request after the other, for as long as there are any. The
 * next answer comes in while the last one is taken; once enough is held nothing is asked for, so a slow taker stops the
 * fetching. All of them or none: a request for those with nothing new would wait at the broker, and keep the others from
 * being fetched meanwhile.
 */
export class FetchLoop {
  readonly #parts: FetchLoopParts;
  readonly #routed = new Map<number, RoutedFeed>();
  readonly #ended = new AbortController();
  readonly #bell = new Bell();
  #first = 0;

  constructor(parts: FetchLoopParts) {
    this.#parts = parts;
  }

  get isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  add(routed: readonly RoutedFeed[]): void {
    const isNew = this.#routed.size === 0;
    for (const one of routed) this.#routed.set(one.feed.partition, one);
    if (isNew) void this.#run();
    this.#bell.ring();
  }

  /** Ends once nothing is left to fetch. */
  remove(partitions: readonly number[]): void {
    for (const partition of partitions) this.#routed.delete(partition);
    if (this.#routed.size === 0) void this.close();
  }

  /** Something was taken: there may be room. */
  wake(): void {
    this.#bell.ring();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#parts.brokers.close();
  }

  async #run(): Promise<void> {
    const { brokers, maxWait, requestTimeout, hasRoom, onAnswered } = this.#parts;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (!hasRoom()) {
        await this.#bell.wait(signal);
        continue;
      }
      try {
        const outcome = await fetchOnce(brokers, this.#turned(), maxWait, maxWait + requestTimeout, signal);
        if (signal.aborted) return;
        if (outcome.dropped.length > 0) this.#drop(outcome);
        onAnswered();
      } catch (error) {
        if (signal.aborted) return;
        this.#drop({ dropped: [...this.#routed.values()].map(({ feed }) => feed), failure: toPersistenceError(error) });
      }
    }
  }

  /** All of them, another one first each time: an answer may not have room for all. */
  #turned(): readonly RoutedFeed[] {
    const routed = [...this.#routed.values()];
    this.#first = (this.#first + 1) % routed.length;
    return [...routed.slice(this.#first), ...routed.slice(0, this.#first)];
  }

  #drop(outcome: FetchOutcome): void {
    // A partition that went and came back while it was asked for has another feed by now, which nobody else fetches.
    const known = outcome.dropped.filter((feed) => this.#routed.get(feed.partition)?.feed === feed);
    this.remove(known.map(({ partition }) => partition));
    this.#parts.onDropped(outcome);
  }
}
