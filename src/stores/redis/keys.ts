import type { SessionId } from '../../domain/identifiers.ts';
import { partitionOf } from '../../domain/partition.ts';
import type { FiledId, SourceId } from '../../domain/plan.ts';

/** The keys of some sessions that one script can change together (docs/decisions/0012-redis-layout.md). */
export interface Bucket {
  /** Set of the sessions that exist: upstream's own. */
  readonly sessions: string;
  /** Hash: cursors by session. */
  readonly cursors: string;
  /** Sorted set, all scores 0: the sessions that have a cursor, so in UTF-8 byte order. */
  readonly order: string;
  /** Hash: generations above 0 by session, so that a reader can tell which log it sees. */
  readonly generations: string;
  /** Sorted set: of the sessions that ever had a log entry above `largeBytes`, the size of the largest. */
  readonly largest: string;
  /** Hash: dead letters and decisions by {@link filedName}. */
  readonly filed: string;
  /** Sorted set, all scores 0: the names of `filed`. */
  readonly filedOrder: string;
  /** Hash: totals by name. */
  readonly totals: string;
  /** String that is written so that replicas can be waited for. */
  readonly barrier: string;
  /** String: the snapshot. */
  session(session: SessionId): string;
  /** List: the log. */
  log(session: SessionId): string;
  /** String. */
  receipt(session: SessionId): string;
  /** String. */
  anchor(session: SessionId): string;
  /** Hash: headers of parked commands by sequence. */
  parkedHeaders(session: SessionId): string;
  /** Hash: parked commands by sequence. */
  parkedCommands(session: SessionId): string;
  /** List: a log that was replaced, until it expires. */
  replacedLog(session: SessionId, generation: number): string;
}

/** Where everything of a store lies. */
export interface KeySpace {
  readonly kind: 'redis' | 'redis-cluster';
  /** String: identity and layout version. */
  readonly identity: string;
  /** Hash: positions by {@link positionName}. In the same place as the home bucket. */
  readonly positions: string;
  /** What the keys of leases begin with: who goes first among the processes that share the store. */
  readonly lease: string;
  /** Holds dead letters without a session. */
  readonly home: Bucket;
  /** All of them, home included. */
  readonly buckets: readonly Bucket[];
  bucketOf(session: SessionId): Bucket;
}

/** Entries above this size are noted, so that reading a log never takes many of them at once. */
export const largeBytes = 64 * 1024;

const clusterBuckets = 256;

/** The layout of one server: upstream's keys, ours beside them under `{prefix}:worker:`. */
export function standaloneKeys(prefix: string): KeySpace {
  const bucket = bucketUnder(prefix);
  return {
    kind: 'redis',
    identity: `${prefix}:worker:identity`,
    positions: `${prefix}:worker:positions`,
    lease: `${prefix}:worker:lease:`,
    home: bucket,
    buckets: [bucket],
    bucketOf: () => bucket,
  };
}

/**
 * The layout of a Redis Cluster: a hash tag a bucket, so that all keys of a session lie in one slot; identity,
 * positions and dead letters without a session in a bucket of their own. Sessions of one partition share buckets
 * where the number of partitions is a power of two.
 */
export function clusterKeys(prefix: string): KeySpace {
  const home = bucketUnder(`${prefix}:{home}`);
  const buckets = Array.from({ length: clusterBuckets }, (_, index) =>
    bucketUnder(`${prefix}:{${index.toString(16).padStart(2, '0')}}`),
  );
  return {
    kind: 'redis-cluster',
    identity: `${prefix}:{home}:worker:identity`,
    positions: `${prefix}:{home}:worker:positions`,
    lease: `${prefix}:{home}:worker:lease:`,
    home,
    buckets: [home, ...buckets],
    bucketOf: (session) => buckets[partitionOf(session, clusterBuckets)] ?? home,
  };
}

/** The name of a dead letter or decision within `filed`: sorts by session first; ids hold no NUL. */
export function filedName(session: SessionId | undefined, id: FiledId): string {
  return `${session ?? ''}\0${id}`;
}

/** The name of a partition's position within `positions`. */
export function positionName(source: SourceId, partition: number): string {
  if (source.includes('\0')) throw new TypeError('a source id must not hold NUL');
  return `${source}\0${partition}`;
}

/** Source and partition of a position's name. */
export function parsePositionName(name: string): { readonly source: SourceId; readonly partition: number } {
  const end = name.lastIndexOf('\0');
  return { source: name.slice(0, end) as SourceId, partition: Number(name.slice(end + 1)) };
}

function bucketUnder(prefix: string): Bucket {
  const worker = `${prefix}:worker`;
  return {
    sessions: `${prefix}:sessions`,
    cursors: `${worker}:cursors`,
    order: `${worker}:order`,
    generations: `${worker}:generations`,
    largest: `${worker}:largest`,
    filed: `${worker}:filed`,
    filedOrder: `${worker}:filed-order`,
    totals: `${worker}:totals`,
    barrier: `${worker}:barrier`,
    session: (session) => `${prefix}:session:${session}`,
    log: (session) => `${prefix}:log:${session}`,
    receipt: (session) => `${prefix}:receipt:${session}`,
    anchor: (session) => `${prefix}:anchor:${session}`,
    parkedHeaders: (session) => `${worker}:parked-headers:${session}`,
    parkedCommands: (session) => `${worker}:parked-commands:${session}`,
    replacedLog: (session, generation) => `${worker}:replaced-log:${generation}:${session}`,
  };
}
