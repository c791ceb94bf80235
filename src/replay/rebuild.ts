import { PersistenceError } from '../domain/errors.ts';
import { Pipeline, type PipelineOptions, type PipelineSummary } from '../pipeline/pipeline.ts';
import type { ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { Retrying } from '../ports/telemetry.ts';
import { type DigestedStore, digestStore } from '../transfer/digest-store.ts';
import { StoreSource } from '../transfer/store-source.ts';
import { BoundedReplay, type ReplayEnd } from './bounded-replay.ts';
import { Distance } from './distance.ts';
import { refuseBeyond, refuseOtherContent } from './rebuild-target.ts';
import type { Selection } from './selection.ts';

export type RebuildPhase = 'replaying' | 'digesting';

/** Told what is under way. */
export interface RebuildListener {
  /** A phase begins; `total`: how many offsets, or about how many sessions, there are; undefined where nobody knows. */
  onPhase(phase: RebuildPhase, total: number | undefined): void;
  onProgress(done: number): void;
  /** The store or the source does not answer, and is asked again. */
  onRetrying(retrying: Retrying): void;
}

/** The source and the target belong to the caller. */
export interface RebuildOptions extends Omit<PipelineOptions, 'queue' | 'store'>, RebuildListener {
  readonly source: ReplaySource;
  readonly target: Store;
  readonly until: ReplayEnd;
  readonly selection: Selection | undefined;
  /** Ends the replay after the commit under way, with `ABORTED`. */
  readonly signal: AbortSignal;
}

/** What was replayed this time, and all that the store holds now. */
export interface Rebuilt extends PipelineSummary, DigestedStore {}

/**
 * Fills the target with what the source holds at this moment, from where the target stands: an empty one from the
 * start. Each commit holds its positions, so that a replay that was killed goes on behind its last commit when it is
 * begun again. Then the whole target is read for its digest.
 *
 * Throws `TARGET_NOT_EMPTY` where something else has filled the target, `TARGET_IN_USE` where somebody else works on
 * it, `SOURCE_LOST_HISTORY`, `ABORTED`, and whatever the source and the store throw.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const { target } = options;
  const summary = await replayInto(options);
  const stored = new StoreSource(target);
  options.onPhase('digesting', await stored.count());
  const digested = await digestStore(stored, (sessions) => options.onProgress(sessions));
  return { ...summary, ...digested };
}

/** Fills the target as {@link rebuild} does, and does not read it afterwards. */
export async function replayInto(options: RebuildOptions): Promise<PipelineSummary> {
  const { source, target, until, signal, onPhase, onProgress, onRetrying, ...pipelineOptions } = options;
  const bounds = await source.bounds();
  const replay = new BoundedReplay({ ...options, bounds });
  await refuseOtherContent(target, replay);
  const stored = await target.readPositions(replay.source);
  refuseBeyond(stored, until.offsets);
  const distance = new Distance(bounds, until.offsets, stored);
  await using pipeline = new Pipeline({ ...pipelineOptions, queue: replay, store: target });
  pipeline.on('committed', ({ positions }) => onProgress(distance.advance(positions)));
  pipeline.on('retrying', onRetrying);
  const stop = (): void => void pipeline.stop();
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    else {
      onPhase('replaying', until.time === undefined ? distance.total : undefined);
      await pipeline.runUntil(() => replay.isOver);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted: begun again, the replay goes on from here');
  return pipeline.summary;
}
