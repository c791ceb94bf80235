import { randomUUID } from 'node:crypto';
import type { QueueHarness } from '../../src/conformance/queue-suite.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueueCapabilities } from '../../src/ports/queue.ts';
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

/** Queues in a Redis that the test started for itself: what they leave goes with it. */
export function bullmqHarness(address: () => RedisAddress): QueueHarness {
  return {
    capabilities: bullmqCapabilities,
    async create({ maximumUnconsumedBytes }) {
      const prefix = uniquePrefix();
      const open = () => openBullmqAt(address(), prefix, { maximumUnconsumedBytes });
      let queue = await open();
      return {
        get queue() {
          return queue;
        },
        async reopen() {
          await queue.close();
          queue = await open();
        },
        dispose: () => queue.close(),
      };
    },
  };
}
