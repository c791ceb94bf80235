import type { SourceId } from '../../domain/plan.ts';
import type { ContinuedSource } from '../../ports/queue.ts';

/** The queue that another one goes on from since its shards were changed, and where each of its shards ended. */
export interface Continuation {
  /** A UUID. */
  readonly id: string;
  /** By shard the offset behind its last command: whoever has all of them lacks nothing from before. */
  readonly ends: readonly number[];
}

const prefix = 'bullmq:';

/** Names a queue in stored positions. */
export function sourceOf(id: string): SourceId {
  return `${prefix}${id}` as SourceId;
}

export function continuedSource({ id, ends }: Continuation): ContinuedSource {
  return { source: sourceOf(id), from: new Map(ends.entries()) };
}
