import type { Command } from '../domain/command.ts';
import type { Delivery, Position } from '../domain/delivery.ts';
import type { Digest } from '../domain/digest.ts';
import type { PersistenceError } from '../domain/errors.ts';
import type { DeadLetter, SourceId, StoredPosition } from '../domain/plan.ts';

/** What a queue promises, as data. */
export interface QueueCapabilities {
  /** A resolved publish survives a power cut. */
  readonly durable: boolean;
  /** Consumed commands stay and can be read again from any held position. */
  readonly replayable: boolean;
  /** Deliveries carry positions that never repeat and never move. */
  readonly positions: boolean;
  /** Publishing under a name shuts out whoever did so before: it has a `fencedPublisher`. */
  readonly fencesWriters: boolean;
  /** It knows what was consumed: it keeps what was not, and refuses more than it is to hold of that. */
  readonly knowsConsumed: boolean;
}

/** A delivery together with what a stored position needs to know of its record. */
export interface QueuedDelivery extends Delivery {
  /** Bytes the record takes, for bounding batches. */
  readonly bytes: number;
  /**
   * True for a stretch of the source that ends at this offset and holds nothing for anybody, such as the marker of a
   * transaction: only its position counts, and its content is never looked at.
   */
  readonly isPassed?: boolean | undefined;
  /** Digest of the record as the queue keeps it, made on demand: only the last one of a batch is needed. */
  recordDigest(): Digest;
}

/** Held range of a partition: `start` is the first offset still held, `end` the one the next publish will get. */
export interface PartitionBounds {
  readonly start: number;
  readonly end: number;
}

/** Which store a consumer fills. */
export interface FilledStore {
  readonly id: string;
  readonly shared: boolean;
}

/** Told by the queue which partitions this consumer works on. */
export interface AssignmentHandler {
  /**
   * What this consumer fills. A queue whose partitions are shared out among consumers refuses, with `GROUP_CONFLICT`,
   * those that fill another store than the rest.
   */
  readonly fills?: FilledStore | undefined;
  /**
   * Where to start each of the partitions: after the stored position, or at the first held offset where it is
   * undefined. Called before the first delivery of any of them.
   */
  assigned(partitions: readonly number[]): Promise<ReadonlyMap<number, StoredPosition | undefined>>;
  /** The partitions are about to go, or gone already: resolves once every batch of theirs is committed or abandoned whole. */
  revoked(partitions: readonly number[]): Promise<void>;
}

export interface TakeLimits {
  readonly deliveries: number;
  readonly bytes: number;
}

/** Delivers records in partition order, batch by batch, as fast as they are asked for. */
export interface BatchSource extends AsyncDisposable {
  /**
   * The next deliveries, of several partitions together, at least one and within the limits (a single delivery may
   * exceed the byte limit). Waits until there are any; resolves empty once `signal` is aborted, the source closed, or
   * what has an end is at it.
   */
  take(limits: TakeLimits, signal?: AbortSignal): Promise<readonly QueuedDelivery[]>;
  /** What stands before these positions is durable in the store and need not be delivered again. */
  acknowledge(positions: ReadonlyMap<number, StoredPosition>): Promise<void>;
  close(): Promise<void>;
}

/** Delivers what a queue holds, and what comes. */
export interface Consumer extends BatchSource {
  /** Like {@link take}, but resolves empty at once when nothing is waiting. */
  takeNow(limits: TakeLimits): Promise<readonly QueuedDelivery[]>;
}

/** Where a replay starts in a partition; with the digest of the record before, that one is verified. */
export interface ReplayStart {
  readonly next: number;
  readonly digest?: Digest | undefined;
}

export interface ReplayOptions {
  /** Where to start each partition; one that is absent starts at its first held offset. */
  readonly from?: ReadonlyMap<number, ReplayStart> | undefined;
  /** By partition the first offset not to deliver any more, where that stands before the end. */
  readonly ends?: ReadonlyMap<number, number> | undefined;
  /**
   * Milliseconds since 1970: each partition ends before its first record at or after this time. A record's time is when
   * the queue took it; in a file, what it says of itself, and one that says nothing is at no time.
   */
  readonly before?: number | undefined;
  readonly limits: TakeLimits;
  readonly signal?: AbortSignal | undefined;
}

/** What a queue goes through by itself; the argument lists of its events. */
export interface QueueEvents {
  /** It does not answer; it is asked again and again until it does. Told once an outage. */
  unavailable: [error: PersistenceError];
  /** It answers again, after this many milliseconds. */
  available: [milliseconds: number];
  /** This consumer works on these partitions from now on. */
  assigned: [partitions: readonly number[]];
  /** This consumer works on these partitions no more. */
  revoked: [partitions: readonly number[]];
  /**
   * It is another one since it was opened, and does nothing more until it is opened anew, with what it said to whoever
   * asked something of it. Told each time.
   */
  changed: [error: PersistenceError];
}

/** Tells those who listen, as an `EventEmitter` does. */
export interface QueueEventSource {
  on<Name extends keyof QueueEvents>(name: Name, listener: (...told: QueueEvents[Name]) => void): unknown;
}

/** Another source that this one goes on from: what that held from these offsets on, if anything, was copied into this one. */
export interface ContinuedSource {
  readonly source: SourceId;
  readonly from: ReadonlyMap<number, number>;
}

/** Copies of dead letters for whoever is to be alarmed: at least once each, never instead of the store's record. */
export interface DeadLetterCopies {
  copy(letters: readonly DeadLetter[]): Promise<void>;
}

/** What holds commands that can be read again. */
export interface ReplaySource extends AsyncDisposable {
  /** Names this incarnation of the source in stored positions. */
  readonly source: SourceId;
  /** There when it was filled from another one. */
  readonly continues?: ContinuedSource | undefined;
  /**
   * Opens what it goes on from, which ends where this begins, for as long as whoever calls needs it; there where that
   * may be held still. Rejects with `SOURCE_LOST_HISTORY`, which names it, where it is not.
   */
  readonly openPrevious?: (() => Promise<ReplaySource>) | undefined;

  /**
   * All held deliveries from the given positions up to the end as it is now; those of one partition in their order.
   * Rejects with `SOURCE_LOST_HISTORY` where a start is not held, or held with another digest, and with `ABORTED`.
   */
  replay(options: ReplayOptions): AsyncIterable<readonly QueuedDelivery[]>;
  /** Held range by partition, as of now. */
  bounds(): Promise<ReadonlyMap<number, PartitionBounds>>;

  /** Settles what is under way and releases everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Publishes under a name that one publisher holds at a time: from when a successor is opened under it on, every publish
 * of this one that had not begun to be written rejects with `WRITER_FENCED`.
 *
 * What is certain: a publish that rejects is not durable and never will be, unless it rejects with `QUEUE_UNAVAILABLE`,
 * `QUEUE_CLOSED` or `QUEUE_IO_FAILED`, which leave that open. `settle` ends this.
 */
export interface FencedPublisher extends AsyncDisposable {
  /** See `Queue.publish`. What is durable can be read, and stands before the `bounds()`. */
  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]>;
  /** See `Queue.whenWritable`. */
  whenWritable(signal?: AbortSignal): Promise<void>;
  /**
   * Resolves once each publish that was made until now is either durable, and before the `bounds()` that are asked for
   * from then on, or never will be. Takes the name back from nobody: rejects with `WRITER_FENCED` when a successor
   * holds it, and with `QUEUE_UNAVAILABLE` while the queue does not answer.
   */
  settle(): Promise<void>;
  /** Settles what is under way, as far as the queue answers, and refuses what comes after. The name stays taken. Idempotent. */
  close(): Promise<void>;
}

/** A partitioned queue of commands. One adapter a folder under `src/queues`. */
export interface Queue extends ReplaySource {
  readonly capabilities: QueueCapabilities;
  readonly partitions: number;
  /** There when dead letters are to be copied. */
  readonly deadLetterCopies?: DeadLetterCopies | undefined;
  /** There when something may happen to it by itself. */
  readonly events?: QueueEventSource | undefined;

  /**
   * Publishes the commands in order and resolves with their positions once all are durable. Concurrent publishes
   * share syncs. A full queue refuses with `QUEUE_FULL` before anything is written; `whenWritable` waits for room.
   * `QUEUE_UNAVAILABLE` leaves open whether some were written. An abort before the write starts publishes nothing
   * (`ABORTED`); after that the outcome is awaited.
   */
  publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]>;
  /** Resolves once the queue has room again. */
  whenWritable(signal?: AbortSignal): Promise<void>;

  /**
   * Opens publishing under a name, which is not empty; there exactly when the capabilities say `fencesWriters`. Resolves
   * once whoever held the name before is shut out: each of its publishes is then either durable, and before the
   * `bounds()` that are asked for from now on, or never will be. Publishers of other names, or of none, are not touched.
   * `ABORTED` once `signal` is aborted before that: the one before may be shut out nevertheless.
   */
  fencedPublisher?(name: string, signal?: AbortSignal): Promise<FencedPublisher>;

  /**
   * Starts consuming. Throws `SOURCE_LOST_HISTORY` when a start position is not held, or held with another digest, and
   * `ABORTED` once `signal` is aborted before there is a consumer: it may take as long as others take to make room.
   */
  consume(handler: AssignmentHandler, signal?: AbortSignal): Promise<Consumer>;
}
