import { EventEmitter } from 'node:events';
import type { Clock } from '../../ports/clock.ts';
import type { QueueEvents } from '../../ports/queue.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { assertVersion, durabilityOf, failoverWeaknesses } from '../../redis/durability.ts';
import { queueUse } from '../../redis/failures.ts';
import type { RedisAddress } from '../../redis/options.ts';
import { listOf, numberOf } from '../../redis/replies.ts';
import { Lane } from '../lane.ts';
import { partitionMemory } from '../partition-memory.ts';
import { type ArchiveOptions, Archiving } from './archive/archiving.ts';
import { openPreviousArchive } from './archive/open-archive.ts';
import { Backlog } from './backlog.ts';
import { openBullmqConsumer } from './bullmq-consumer.ts';
import { BullmqQueue, type BullmqQueueParts, type ShardBounds } from './bullmq-queue.ts';
import { type Continuation, continuedSource, sourceOf } from './continuation.ts';
import { type QueueGuard, settleGuard } from './guard.ts';
import { JobWriter } from './job-writer.ts';
import { type BullmqKeys, bullmqKeys } from './keys.ts';
import { LayoutScripts } from './layout-scripts.ts';
import { RedisShard } from './redis-shard.ts';
import { replayShards } from './replay-shards.ts';
import { boundsScript } from './scripts/shard-scripts.ts';
import { ShardReader } from './shard-reader.ts';

/** Sizes in bytes, times in milliseconds. */
export interface BullmqQueueOptions {
  readonly connection: RedisAddress;
  /** What all keys of the queue begin with, in braces. */
  readonly prefix: string;
  /** Of a new queue. Undefined: 8, or whatever the queue has. */
  readonly shards?: number | undefined;
  /** How long commands wait for others to share a job with. Default 0: only for what is published in the same turn. */
  readonly lingerMs?: number | undefined;
  /** Most bytes of commands that a job holds; a larger command has a job of its own. Default 256 KiB. */
  readonly batchBytes?: number | undefined;
  /** Bytes that wait to be consumed at which the queue takes no more. Default 256 MiB. */
  readonly maximumUnconsumedBytes?: number | undefined;
  /** Most bytes of commands that wait in memory. Default 64 MiB. */
  readonly maximumWaitingBytes?: number | undefined;
  /** How long a worker may be silent until the others take its shards. Default 10 s. */
  readonly leaseMs?: number | undefined;
  /** How long Redis may take to answer. Default 30 s. */
  readonly answerTimeoutMs?: number | undefined;
  /** Where what was consumed is kept. Undefined: it goes. */
  readonly archive?: ArchiveOptions | undefined;
  /** The id of an archive that the queue is to go on without. Undefined: none. */
  readonly givenUpArchive?: string | undefined;
  readonly clock: Clock;
  /** A fresh random UUID at every call. */
  readonly newId: () => string;
  /** Told why what Redis acknowledges may be lost, a sentence each. */
  readonly onWeakness: (weakness: string) => void;
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
/** A transaction holds Redis up for as long as it is carried out. */
const jobsOfGroup = 16;

/**
 * Opens a queue of jobs in Redis 7 or newer, creating it where there is none. Nothing is published or consumed by that
 * alone. Throws `QUEUE_UNAVAILABLE` when Redis does not answer, `INVALID_CONFIGURATION` for what it refuses and for
 * another number of shards, `QUEUE_TOO_NEW` for a queue of a newer release, and `QUEUE_CORRUPT`.
 */
export async function openBullmqQueue(options: BullmqQueueOptions): Promise<BullmqQueue> {
  const access = {
    address: options.connection,
    use: queueUse,
    answerTimeoutMs: options.answerTimeoutMs ?? 30_000,
  };
  const consuming = await RedisConnection.open(access);
  const opened = [consuming];
  try {
    const keys = bullmqKeys(options.prefix);
    const durability = await durabilityOf(consuming);
    assertVersion(durability, consuming.where);
    const weaknesses = [...durability.weaknesses, ...failoverWeaknesses(options.connection, durability.servers)];
    for (const weakness of weaknesses) options.onWeakness(weakness);
    const guard = await settleGuard(consuming, keys, options);
    // A connection of its own: what is read and removed does not wait for what a large group sends.
    const publishing = await RedisConnection.open(access);
    opened.push(publishing);
    return await queueOf(options, { keys, consuming, publishing, durable: weaknesses.length === 0, guard });
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}

interface Opened {
  readonly keys: BullmqKeys;
  readonly consuming: RedisConnection;
  readonly publishing: RedisConnection;
  readonly durable: boolean;
  readonly guard: QueueGuard;
}

async function queueOf(options: BullmqQueueOptions, opened: Opened): Promise<BullmqQueue> {
  const { clock, newId } = options;
  const { keys, consuming, publishing, durable, guard } = opened;
  const { id, shards, continues } = guard;
  const scripts = new LayoutScripts(consuming, keys, id);
  const ending = new AbortController();
  const events = new EventEmitter<QueueEvents>();
  const shardOf = partitionMemory(shards);
  const waiting = () => boundsOf(scripts, shards);
  const read = async () => (await waiting()).map(({ bytes }) => bytes);
  const consumption = { scripts, shards, shardOf, clock, events };
  const archiving = new Archiving({
    ...options,
    ...consumption,
    continues,
    queue: id,
    givenUp: options.givenUpArchive,
  });
  const backlog = new Backlog({ maximumBytes: options.maximumUnconsumedBytes ?? 256 * mebibyte, read, clock });
  const batchBytes = options.batchBytes ?? 256 * kibibyte;
  /** Settles once every replay that was begun knows where it ends. */
  let begun: Promise<unknown> = Promise.resolve();
  const writer = await JobWriter.open({
    mayWrite: () => begun,
    connection: publishing,
    keys,
    id,
    shards,
    publisher: newId(),
    clock,
    batchBytes,
    onBacklog: (bytes) => backlog.told(bytes),
    closing: ending.signal,
  });
  const lane = new Lane({
    writer,
    clock,
    lingerMs: options.lingerMs ?? 0,
    groupBytes: batchBytes * jobsOfGroup,
    maximumWaitingBytes: options.maximumWaitingBytes ?? 64 * mebibyte,
  });
  const lease = options.leaseMs ?? 10_000;
  const openReader = async (shard: number) => {
    const history = await archiving.history(shard);
    return new ShardReader({ waiting: new RedisShard(scripts, shard), history, place: { shard, shards, shardOf } });
  };
  return new BullmqQueue({
    source: sourceOf(id),
    continues: continues && continuedSource(continues),
    openPrevious: openerOf(continues, options.archive),
    shards,
    durable,
    shardOf,
    clock,
    events,
    lane,
    backlog,
    replayable: options.archive !== undefined,
    readBounds: async () => archiving.boundsWith(await waiting()),
    readArchive: async () => archiving.standing(await waiting()),
    async openConsumer(handler, signal) {
      await archiving.settle();
      return await openBullmqConsumer({ ...consumption, archiving, name: newId(), lease }, handler, signal);
    },
    replay(replay, closing) {
      const bounds = waiting();
      begun = Promise.allSettled([begun, bounds]);
      return replayShards({ bounds, openReader, closing }, replay);
    },
    ending,
    async disconnect() {
      await writer.close();
      publishing.close();
      consuming.close();
    },
  });
}

/** Opens the archive of the queue before its shards were changed; undefined where there may be none. */
function openerOf(
  continues: Continuation | undefined,
  archive: ArchiveOptions | undefined,
): BullmqQueueParts['openPrevious'] {
  return continues && archive && (() => openPreviousArchive(continues, archive));
}

async function boundsOf(scripts: LayoutScripts, shards: number): Promise<readonly ShardBounds[]> {
  const shardKeys = Array.from({ length: shards }, (_, shard) => scripts.keys.shard(shard));
  const numbers = listOf(await scripts.run(boundsScript, shardKeys, [])).map(numberOf);
  return shardKeys.map((_, shard) => {
    const [start = 0, end = 0, bytes = 0] = numbers.slice(3 * shard, 3 * shard + 3);
    return { start, end, bytes };
  });
}
