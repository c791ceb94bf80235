import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueHarness } from '../../src/conformance/queue-suite.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueueCapabilities } from '../../src/ports/queue.ts';
import type { ArchiveOptions } from '../../src/queues/bullmq/archive/archiving.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import { type BullmqQueueOptions, openBullmqQueue } from '../../src/queues/bullmq/open-bullmq-queue.ts';
import type { RedisAddress } from '../../src/redis/options.ts';
import { uniquePrefix } from './redis.ts';

const bullmqCapabilities: QueueCapabilities = {
  durable: true,
  replayable: false,
  positions: true,
  fencesWriters: false,
  knowsConsumed: true,
};

export function openBullmqAt(
  connection: RedisAddress,
  prefix: string,
  options: Partial<BullmqQueueOptions> = {},
): Promise<BullmqQueue> {
  return openBullmqQueue({
    connection,
    prefix,
    shards: 3,
    clock: systemClock,
    newId: randomUUID,
    onWeakness: () => undefined,
    ...options,
  });
}

/** An archive whose segments hold a few jobs each; with `retainsNothing`, it keeps no longer what is stored. */
export function smallArchive(directory: string, retainsNothing = false): ArchiveOptions {
  const retention = retainsNothing ? { ageMs: 0, bytes: 0 } : { ageMs: 1e9, bytes: 1e9 };
  return { directory, fileSystem: nodeFileSystem, retention, segmentBytes: 4_000 };
}

/** Queues in a Redis that the test started for itself: what they leave goes with it. */
export function bullmqHarness(address: () => RedisAddress, isArchived = false): QueueHarness {
  return {
    capabilities: { ...bullmqCapabilities, replayable: isArchived },
    async create({ maximumUnconsumedBytes, retainsNothing }) {
      const prefix = uniquePrefix();
      const directory = await mkdtemp(join(tmpdir(), 'bullmq-archive-'));
      const archive = isArchived ? smallArchive(directory, retainsNothing) : undefined;
      const open = () => openBullmqAt(address(), prefix, { maximumUnconsumedBytes, archive });
      let queue = await open();
      return {
        get queue() {
          return queue;
        },
        async reopen() {
          await queue.close();
          queue = await open();
        },
        async dispose() {
          await queue.close();
          await rm(directory, { recursive: true });
        },
      };
    },
  };
}
