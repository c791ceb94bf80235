import { Pipeline, type PipelineOptions, type PipelineSource } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';

/** A pipeline of small batches that tries again at once. */
export function pipelineOf(queue: PipelineSource, store: Store, more: Partial<PipelineOptions> = {}): Pipeline {
  return new Pipeline({
    queue,
    store,
    clock: systemClock,
    limits: { deliveries: 100, bytes: 1_000_000 },
    cachedSessions: 100,
    backoff: { initial: 1, maximum: 4 },
    ...more,
  });
}
