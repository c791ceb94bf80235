import { PersistenceError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { RetentionLimits } from '../../segments/retention.ts';
import type { OpenLedger } from './ledger.ts';

export interface EmbeddedQueueOptions {
  /** Where the queue is kept; made if it does not exist. */
  readonly directory: string;
  /** Recorded when the queue is created (default 8, 1 to 1,024); any other number is refused from then on. */
  readonly partitions?: number | undefined;
  /** Unconsumed bytes at which publishing is refused with `QUEUE_FULL`. Default 1 GiB. */
  readonly maximumUnconsumedBytes?: number | undefined;
  /** Bytes waiting in memory to be synced at which publishing is refused with `QUEUE_FULL`. Default 64 MiB. */
  readonly maximumPendingBytes?: number | undefined;
  /** Consumed commands stay for replay until they are older or more than this. Default 7 days and 10 GiB. */
  readonly retention?: Partial<RetentionLimits> | undefined;
  /** Length at which a segment file ends and the next begins. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Most bytes written and synced together, unless one publish is larger. Default 4 MiB. */
  readonly groupBytes?: number | undefined;
  /** Bytes read at a time. Default 1 MiB. */
  readonly chunkBytes?: number | undefined;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  /** A fresh random UUID at every call: names a new queue, and seeds its checksums. */
  readonly newId: () => string;
  /** Keeps identity, lock and acknowledged positions; default: a small classic-level database in `meta/`. */
  readonly openLedger?: OpenLedger | undefined;
}

export interface EmbeddedQueueSettings {
  readonly maximumUnconsumedBytes: number;
  readonly maximumPendingBytes: number;
  readonly retention: RetentionLimits;
  readonly segmentBytes: number;
  readonly groupBytes: number;
  readonly chunkBytes: number;
}

const mebibyte = 1024 * 1024;
const day = 24 * 60 * 60 * 1000;
export const defaultPartitions = 8;
const mostPartitions = 1024;

/** The options with their documented defaults. Throws `INVALID_CONFIGURATION` for numbers that make no sense. */
export function settingsOf(options: EmbeddedQueueOptions): EmbeddedQueueSettings {
  if (options.partitions !== undefined && !within(options.partitions, 1, mostPartitions)) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${options.partitions} partitions: 1 to ${mostPartitions} are possible`,
    );
  }
  return {
    maximumUnconsumedBytes: count('maximumUnconsumedBytes', options.maximumUnconsumedBytes, 1024 * mebibyte),
    maximumPendingBytes: count('maximumPendingBytes', options.maximumPendingBytes, 64 * mebibyte),
    retention: {
      ageMs: count('retention.ageMs', options.retention?.ageMs, 7 * day, 0),
      bytes: count('retention.bytes', options.retention?.bytes, 10 * 1024 * mebibyte, 0),
    },
    segmentBytes: count('segmentBytes', options.segmentBytes, 64 * mebibyte),
    groupBytes: count('groupBytes', options.groupBytes, 4 * mebibyte),
    chunkBytes: count('chunkBytes', options.chunkBytes, mebibyte),
  };
}

function count(name: string, value: number | undefined, otherwise: number, least = 1): number {
  if (value === undefined) return otherwise;
  if (within(value, least, Number.MAX_SAFE_INTEGER)) return value;
  throw new PersistenceError('INVALID_CONFIGURATION', `${name} is ${value}; it is a whole number from ${least} on`);
}

function within(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
