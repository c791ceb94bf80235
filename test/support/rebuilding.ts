import { digestHex } from '../../src/domain/digest.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Queue, ReplaySource } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { createMemoryQueue, type MemoryQueue } from '../../src/queues/memory/memory-queue.ts';
import { type RebuildOptions, type Rebuilt, rebuild } from '../../src/replay/rebuild.ts';
import { digestStore } from '../../src/transfer/digest-store.ts';
import { StoreSource } from '../../src/transfer/store-source.ts';
import { append, claim, create, save, skip } from './commands.ts';

const working = {
  clock: systemClock,
  limits: { deliveries: 7, bytes: 1 << 20 },
  cachedSessions: 100,
  backoff: { initial: 1, maximum: 4 },
};

export const sessionsOfStream = Array.from({ length: 12 }, (_, index) => `session-${index}`);

/** A queue that holds whatever may happen to sessions: gaps, twins, conflicts, claims, skips and unreadable messages. */
export async function eventfulQueue(clock: Clock = systemClock): Promise<MemoryQueue> {
  const queue = createMemoryQueue({ source: 'memory:eventful' as SourceId, clock, partitions: 3 });
  for (const session of sessionsOfStream) await queue.publish([create(1, { session }), append(2, 'two', { session })]);
  queue.inject({ key: undefined, headers: [], value: Buffer.from('no event') }, 1);
  for (const [index, session] of sessionsOfStream.entries()) {
    const reign = { session };
    await queue.publish([append(3, 'three', reign), append(3, 'three', reign), save(4, 'four', reign)]);
    // A hole, a conflict, and a claim that ends it.
    if (index % 3 === 0) await queue.publish([append(6, 'six', reign), append(7, 'seven', reign)]);
    if (index % 6 === 0)
      await queue.publish([skip(5, 1, `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`, session)]);
    if (index % 3 === 1) await queue.publish([append(4, 'another four', reign), append(5, 'waits', reign)]);
    if (index % 6 === 1) await queue.publish([claim(2, '//test/two', session)]);
  }
  return queue;
}

/** Replays the source into the target, in small batches. */
export function rebuilt(source: ReplaySource, target: Store, more: Partial<RebuildOptions> = {}): Promise<Rebuilt> {
  return rebuild({
    ...working,
    source,
    target,
    base: undefined,
    until: {},
    selection: undefined,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onProgress: () => undefined,
    onRetrying: () => undefined,
    onLost: () => Promise.resolve(),
    ...more,
  });
}

/** Persists what the queue holds, as a worker does. */
export async function worked(queue: Queue, store: Store): Promise<void> {
  await using pipeline = new Pipeline({ ...working, queue, store });
  await pipeline.runUntilCaughtUp();
}

/** The digest of all that a store holds, as hexadecimal text. */
export async function digestOf(store: Store): Promise<string> {
  return digestHex((await digestStore(new StoreSource(store), () => undefined)).digest);
}
