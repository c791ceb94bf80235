import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import { addTally, emptyTally } from '../domain/rule/tally.ts';
import { Pipeline, type PipelineOptions, type PipelineSummary } from '../pipeline/pipeline.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { PartitionBounds, ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { Retrying } from '../ports/telemetry.ts';
import type { CopyPhase } from '../transfer/copy-options.ts';
import { readCopyState } from '../transfer/copy-target.ts';
import { type DigestedStore, digestStore } from '../transfer/digest-store.ts';
import { StoreSource } from '../transfer/store-source.ts';
import type { BoundedReplay, ReplayEnd } from './bounded-replay.ts';
import { type Chain, type Link, openChain } from './chain.ts';
import { Distance } from './distance.ts';
import { lostBeginnings, lostSessions } from './lost-sessions.ts';
import { refuseBeyond, refuseOtherContent } from './rebuild-target.ts';
import { seed } from './seed.ts';
import { SelectedSource } from './selected-source.ts';
import type { Selection } from './selection.ts';
import { hasConsumed, type Standing } from './standing.ts';

export type RebuildPhase = CopyPhase | 'looking for lost sessions' | 'replaying' | 'digesting';

/** Told what is under way. */
export interface RebuildListener {
  /** A phase begins; `total`: how many offsets, or about how many sessions, there are; undefined where nobody knows. */
  onPhase(phase: RebuildPhase, total: number | undefined): void;
  onProgress(done: number): void;
  /** The store or the source does not answer, and is asked again. */
  onRetrying(retrying: Retrying): void;
  /** A session cannot be built whole: its first commands are gone. */
  onLost(session: SessionId): Promise<void>;
}

/** The source, the target and the base belong to the caller. */
export interface RebuildOptions extends Omit<PipelineOptions, 'queue' | 'store'>, RebuildListener {
  readonly source: ReplaySource;
  readonly target: Store;
  /** What the target is copied from first; undefined: nothing. */
  readonly base: CopySource | undefined;
  readonly until: ReplayEnd;
  /** Undefined: all sessions. */
  readonly selection: Selection | undefined;
  /** Ends the replay after the commit under way, with `ABORTED`. */
  readonly signal: AbortSignal;
}

/** What was replayed this time, and all that the store holds now. */
export interface Rebuilt extends PipelineSummary, DigestedStore {}

/**
 * Fills the target with what the source holds at this moment, from where the target stands: an empty one from the
 * start, or, with a base, from where that stands. What the source goes on from comes first, where that is held still.
 * Each commit holds its positions, so that a replay that was killed goes on behind its last commit when it is begun
 * again. Then the whole target is read for its digest.
 *
 * Throws `TARGET_NOT_EMPTY` where something else has filled the target, `TARGET_IN_USE` where somebody else works on
 * it, `SOURCE_LOST_HISTORY`, before anything is written where the first commands are gone; `ABORTED`, and whatever the
 * source and the stores throw.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const { target, signal, onPhase, onProgress } = options;
  const summary = await replayInto(options);
  const filled = new StoreSource(target);
  onPhase('digesting', await filled.count());
  const digested = await digestStore(filled, (sessions) => {
    throwIfInterrupted(signal);
    onProgress(sessions);
  });
  return { ...summary, ...digested };
}

/** Fills the target as {@link rebuild} does, and does not read it afterwards. */
export async function replayInto(options: RebuildOptions): Promise<PipelineSummary> {
  const { target, until, onPhase, onProgress } = options;
  const base = await baseOf(options);
  const standing = await (base ?? new StoreSource(target)).positions();
  await using chain = await openChain({ ...options, standing });
  if (base !== undefined) await copyBase(base, standing, chain.first, options);
  await refuseOtherContent(target, chain.first.replay);
  const steps = await stepsOf(chain, options);
  const total = steps.reduce((sum, { distance }) => sum + distance.total, 0);
  onPhase('replaying', until.time === undefined ? total : undefined);
  const summary = { deliveries: 0, bytes: 0, commits: 0, tally: emptyTally() };
  let before = 0;
  for (const { replay, distance } of steps) {
    // The one before has ended at that time: whatever comes behind it is later.
    if (until.time !== undefined && replay !== chain.first.replay && !(await reaches(target, replay))) break;
    const done = await work(replay, distance, { ...options, onProgress: (more) => onProgress(before + more) });
    before += distance.total;
    summary.deliveries += done.deliveries;
    summary.bytes += done.bytes;
    summary.commits += done.commits;
    addTally(summary.tally, done.tally);
  }
  return summary;
}

/** Whether the store has consumed all that the source goes on from. */
async function reaches(store: Store, { continues }: BoundedReplay): Promise<boolean> {
  return continues === undefined || hasConsumed(await new StoreSource(store).positions(), continues);
}

type Bounds = ReadonlyMap<number, PartitionBounds>;

/** One link of the chain, and how far it is to its end. */
interface Step {
  readonly replay: BoundedReplay;
  readonly distance: Distance;
}

/** What is to be done, once it is known that nothing is missing of any of it. */
async function stepsOf({ links }: Chain, options: RebuildOptions): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const { source, replay, bounds, until } of links) {
    const stored = await options.target.readPositions(replay.source);
    refuseBeyond(stored, until.offsets);
    if (options.acceptsNewQueue !== true) await refuseLostBeginnings({ ...options, source }, bounds, stored);
    steps.push({ replay, distance: new Distance(bounds, until.offsets, stored) });
  }
  return steps;
}

/** What is still to be copied from, as far as sessions are selected. */
async function baseOf({ base, selection, target }: RebuildOptions): Promise<CopySource | undefined> {
  const selected = base && selection ? new SelectedSource(base, selection) : base;
  if (selected === undefined || (await readCopyState(target, selected.name)).isComplete) return undefined;
  return selected;
}

async function copyBase(
  base: CopySource,
  standing: Standing,
  { replay: source, bounds }: Link,
  { target, signal, onPhase, onProgress }: RebuildOptions,
): Promise<void> {
  const total = await base.count();
  let phase: CopyPhase | undefined;
  await seed({
    base,
    standing,
    target,
    source,
    bounds,
    signal,
    onProgress: (now, done) => {
      if (now !== phase) onPhase(now, total);
      phase = now;
      onProgress(done);
    },
  });
}

/** Names the sessions that cannot be built whole, where there may be any, before anything is built. */
async function refuseLostBeginnings(
  options: RebuildOptions,
  bounds: Bounds,
  stored: ReadonlyMap<number, StoredPosition>,
): Promise<void> {
  const partitions = lostBeginnings(bounds, stored);
  if (partitions.length === 0) return;
  options.onPhase('looking for lost sessions', undefined);
  let sessions = 0;
  for (const partition of partitions) {
    for await (const session of lostSessions(partition, { ...options, bounds })) {
      await options.onLost(session);
      sessions += 1;
      options.onProgress(sessions);
    }
  }
  const starts = partitions.map((partition) => `${partition}:${bounds.get(partition)?.start}`).join(',');
  throw new PersistenceError(
    'SOURCE_LOST_HISTORY',
    `the first commands are gone: the source begins at ${starts} only. Of ${sessions} sessions it holds no more than ` +
      'the end, and there may be others of which it holds nothing. Begin with a backup that stands behind that: ' +
      '--base STORE_URL; or, when there is none, build what is left with --worker-accept-new-queue',
  );
}

/** Works until everything is replayed, or interrupted. */
async function work(replay: BoundedReplay, distance: Distance, options: RebuildOptions): Promise<PipelineSummary> {
  const { target, signal, clock, limits, cachedSessions, acceptsNewQueue, backoff } = options;
  const means = { clock, limits, cachedSessions, acceptsNewQueue, backoff };
  await using pipeline = new Pipeline({ ...means, queue: replay, store: target });
  pipeline.on('committed', ({ positions }) => options.onProgress(distance.advance(positions)));
  pipeline.on('retrying', (retrying) => options.onRetrying(retrying));
  const stop = (): void => void pipeline.stop();
  signal.addEventListener('abort', stop);
  try {
    if (!signal.aborted) await pipeline.runUntil(() => replay.isOver);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  throwIfInterrupted(signal);
  return pipeline.summary;
}

function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted: begun again, the replay goes on from here');
}
