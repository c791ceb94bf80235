import { randomUUID } from 'node:crypto';
import type { BullmqAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { ChangedShards } from '../queues/bullmq/change-shards.ts';
import type { RedisAddress } from '../redis/options.ts';
import type { QueueAdapter } from './adapter.ts';
import type { Finding } from './doctor/finding.ts';
import { readCertificates } from './pem-files.ts';
import { judgeDurability } from './redis.ts';

/** The queue on BullMQ. It and its client are loaded only where they are used. */
export const bullmqAdapter: QueueAdapter<BullmqAddress> = {
  exclusive: false,
  // Opening makes what is missing.
  exists: async () => true,
  async open(address, values, log) {
    const { openBullmqQueue } = await import('../queues/bullmq/open-bullmq-queue.ts');
    return openBullmqQueue({
      connection: await connectionOf(address, values),
      prefix: address.prefix,
      shards: values['bullmq.shards'],
      leaseMs: values['bullmq.lease'],
      lingerMs: values['bullmq.linger'],
      batchBytes: values['bullmq.batchSize'],
      maximumUnconsumedBytes: values['bullmq.maximumBacklog'],
      maximumWaitingBytes: values['bullmq.maximumWaiting'],
      answerTimeoutMs: values['bullmq.commandTimeout'],
      clock: systemClock,
      newId: randomUUID,
      onWeakness: (weakness) => log('warn', `this Redis may lose commands that it acknowledged: ${weakness}`),
    });
  },
  examine,
};

async function connectionOf(address: BullmqAddress, values: Values): Promise<RedisAddress> {
  const { host, port, database, username, password } = address;
  const ca = await readCertificates({ setting: 'bullmq.tlsCa', path: values['bullmq.tlsCa'] });
  const access = { username, password, tls: address.tls ? { ca } : undefined };
  return values['bullmq.cluster'] ? { ...access, nodes: [{ host, port }] } : { ...access, host, port, database };
}

/** How durable what Redis acknowledges is, as it is set up. */
async function examine(address: BullmqAddress, values: Values): Promise<readonly Finding[]> {
  const { readDurability } = await import('../redis/durability.ts');
  const { queueUse } = await import('../redis/failures.ts');
  const durability = await readDurability({
    address: await connectionOf(address, values),
    use: queueUse,
    answerTimeoutMs: values['bullmq.commandTimeout'],
  });
  return judgeDurability('bullmq', durability, 'change that, unless your writers can send again what was lost');
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
    connection: await connectionOf(address, values),
    prefix: address.prefix,
    shards,
    answerTimeoutMs: values['bullmq.commandTimeout'],
    clock: systemClock,
    newId: randomUUID,
    onWaiting,
    signal,
  });
}
