import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueHarness } from '../../../src/conformance/queue-suite.ts';
import { nodeFileSystem } from '../../../src/platform/node-file-system.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { openEmbeddedQueue } from '../../../src/queues/embedded/open-embedded-queue.ts';

/** Segments of a few records and small chunks, so that every law crosses their edges. */
export const embeddedQueueHarness: QueueHarness = {
  capabilities: { durable: true, replayable: true, positions: true, fencesWriters: true, knowsConsumed: true },
  async create({ maximumUnconsumedBytes, retainsNothing = false }) {
    const directory = await mkdtemp(join(tmpdir(), 'embedded-queue-'));
    const options = {
      directory,
      fileSystem: nodeFileSystem,
      clock: systemClock,
      newId: randomUUID,
      maximumUnconsumedBytes,
      segmentBytes: 4_000,
      chunkBytes: 700,
      groupBytes: 2_000,
      ...(retainsNothing ? { retention: { ageMs: 0, bytes: 0 } } : {}),
    };
    let queue = await openEmbeddedQueue(options);
    return {
      get queue() {
        return queue;
      },
      async reopen() {
        await queue.close();
        queue = await openEmbeddedQueue(options);
      },
      async dispose() {
        await queue.close();
        await rm(directory, { recursive: true });
      },
    };
  },
};
