import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { BullmqAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { isPersistenceError } from '../domain/errors.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { ArchiveOptions } from '../queues/bullmq/archive/archiving.ts';
import type { BullmqQueue } from '../queues/bullmq/bullmq-queue.ts';
import type { ChangedShards } from '../queues/bullmq/change-shards.ts';
import type { QueueAdapter, QueueLog } from './adapter.ts';
import { type Finding, ok, problem, shownBytes } from './doctor/finding.ts';
import { judgeDurability } from './redis.ts';
import { redisPlace } from './redis-place.ts';

/** The queue on BullMQ. It and its client are loaded only where they are used. */
export const bullmqAdapter: QueueAdapter<BullmqAddress> = {
  exclusive: false,
  // Opening makes what is missing.
  exists: async () => true,
  open,
  examine,
};

async function open(address: BullmqAddress, values: Values, log: QueueLog): Promise<BullmqQueue> {
  const { openBullmqQueue } = await import('../queues/bullmq/open-bullmq-queue.ts');
  return openBullmqQueue({
    connection: await redisPlace(address, values),
    prefix: address.prefix,
    shards: values['bullmq.shards'],
    leaseMs: values['bullmq.lease'],
    lingerMs: values['bullmq.linger'],
    batchBytes: values['bullmq.batchSize'],
    maximumUnconsumedBytes: values['bullmq.maximumBacklog'],
    maximumWaitingBytes: values['bullmq.maximumWaiting'],
    answerTimeoutMs: values['bullmq.commandTimeout'],
    archive: archiveOf(values),
    givenUpArchive: values['bullmq.givenUpArchive'],
    clock: systemClock,
    newId: randomUUID,
    onWeakness: (weakness) => log('warn', `this Redis may lose commands that it acknowledged: ${weakness}`),
  });
}

/** Where what was consumed is kept, if it is. A relative directory starts at the current one. */
function archiveOf(values: Values): ArchiveOptions | undefined {
  const directory = values['bullmq.archive'];
  if (directory === undefined) return undefined;
  const retention = { ageMs: values['bullmq.retentionAge'], bytes: values['bullmq.retentionSize'] };
  return { directory: resolve(directory), fileSystem: nodeFileSystem, retention };
}

/** How durable what Redis acknowledges is, as it is set up, and what is kept of it once it is stored. */
async function examine(address: BullmqAddress, values: Values): Promise<readonly Finding[]> {
  const { failoverWeaknesses, readDurability } = await import('../redis/durability.ts');
  const { queueUse } = await import('../redis/failures.ts');
  const place = await redisPlace(address, values);
  const { servers, weaknesses } = await readDurability({
    address: place,
    use: queueUse,
    answerTimeoutMs: values['bullmq.commandTimeout'],
  });
  const all = { servers, weaknesses: [...weaknesses, ...failoverWeaknesses(place, servers)] };
  const remedy = 'change that, unless your writers can send again what was lost';
  return [...judgeDurability('bullmq', all, remedy), await examineArchive(address, values)];
}

async function examineArchive(address: BullmqAddress, values: Values): Promise<Finding> {
  const directory = values['bullmq.archive'];
  try {
    await using queue = await open(address, values, () => undefined);
    const standing = await queue.archive();
    if (standing !== undefined) {
      const { directory: folder, commands, bytes } = standing;
      return ok('archive', `${commands} commands that are gone from Redis, ${shownBytes(bytes)}, in ${folder}`);
    }
    if (directory !== undefined) return ok('archive', `there is none in ${directory} yet: the first worker begins it`);
    return ok('archive', 'there is none: what is stored goes, and no store can be replayed (bullmq.archive)');
  } catch (error) {
    if (!isPersistenceError(error)) throw error;
    const change = 'give all workers of the queue the directory of its archive';
    return problem('archive', `${error.code}: ${error.message}`, change);
  }
}

/** Another number of shards that a queue is to have. */
export interface ShardsRequest {
  readonly address: BullmqAddress;
  readonly shards: number;
  readonly values: Values;
  /** Told how many commands workers still have to store before. */
  readonly onWaiting: (commands: number) => void;
  readonly signal: AbortSignal;
}

/** Gives a queue another number of shards, once its workers have stored all that waits. */
export async function changeBullmqShards(request: ShardsRequest): Promise<ChangedShards> {
  const { address, values, shards, onWaiting, signal } = request;
  const { changeShards } = await import('../queues/bullmq/change-shards.ts');
  return changeShards({
    connection: await redisPlace(address, values),
    prefix: address.prefix,
    shards,
    answerTimeoutMs: values['bullmq.commandTimeout'],
    clock: systemClock,
    newId: randomUUID,
    onWaiting,
    signal,
  });
}
