import type { QueueHarness } from '../../../src/conformance/queue-suite.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { createMemoryQueue } from '../../../src/queues/memory/memory-queue.ts';

export const memoryQueueHarness: QueueHarness = {
  capabilities: { durable: false, replayable: true, positions: true, fencesWriters: true, knowsConsumed: true },
  async create({ maximumUnconsumedBytes, retainsNothing = false }) {
    const queue = createMemoryQueue({
      source: 'memory:laws' as SourceId,
      clock: systemClock,
      maximumUnconsumedBytes,
      ...(retainsNothing ? { retention: { ageMs: 0, bytes: 0 } } : {}),
    });
    return {
      queue,
      reopen: () => Promise.reject(new TypeError('nothing of a memory queue survives closing it')),
      dispose: () => queue.close(),
    };
  },
};
