import { randomUUID } from 'node:crypto';
import { buildSettings } from '../../src/compose/settings.ts';
import { createPipeline } from '../../src/compose/worker.ts';
import { resolveConfiguration } from '../../src/configuration/resolve.ts';
import type { Values } from '../../src/configuration/settings.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { interleavedAppends, sessionIds } from './entries.ts';

const gibibyte = 1024 ** 3;

export function openQueue(directory: string): Promise<Queue> {
  return openEmbeddedQueue({
    directory,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    newId: randomUUID,
    // The backlog is measured whole, and read again every round.
    maximumUnconsumedBytes: 64 * gibibyte,
    retention: { bytes: 64 * gibibyte },
  });
}

export function openStore(directory: string): Promise<Store> {
  return openLevelStore({ directory, files: nodeFileSystem, clock: systemClock, newId: randomUUID });
}

/** Fills a queue with `count` appends that interleave `sessions` sessions. */
export async function fillQueue(queue: Queue, sessions: number, count: number): Promise<void> {
  let chunk = [];
  for (const command of interleavedAppends(sessionIds(sessions), count)) {
    chunk.push(command);
    if (chunk.length < 4096) continue;
    await queue.publish(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await queue.publish(chunk);
}

/** A worker with the settings that `macp-persist worker` has by default. */
export function worker(queue: Queue, store: Store): Pipeline {
  return createPipeline(queue, store, valuesOf({}));
}

/** The settings that `macp-persist` has with these flags and nothing else. */
export function valuesOf(flags: Readonly<Record<string, string>>): Values {
  const given = new Map(Object.entries(flags));
  const sources = { flags: given, environment: {}, file: undefined, otherVariables: [], mistakes: [] };
  return resolveConfiguration(buildSettings(), sources).values;
}
