import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { Store } from '../ports/store.ts';
import { type RebuildOptions, replayInto } from '../replay/rebuild.ts';
import { StoreSource } from '../transfer/store-source.ts';
import { type Comparison, compareStores } from './compare-stores.ts';
import type { Difference } from './difference.ts';

/** How often sessions that differ are looked at anew in a store that workers go on with. */
const rounds = 5;
/** Of so many sessions, at most, the ids are held to look at them anew. */
const mostSuspects = 10_000;

export interface SourceComparisonOptions extends Omit<RebuildOptions, 'until' | 'selection' | 'base' | 'onLost'> {
  readonly store: Store;
  /** An empty store, which is filled with what the source says. */
  readonly target: Store;
  /** Told when what the source says is to be compared. */
  readonly onComparing: () => void;
  /** Told each difference once: the store comes first, what the source says second. */
  readonly onDifference: (difference: Difference) => Promise<void>;
}

export interface SourceComparison extends Comparison {
  /** Records of the source that the store had not consumed when it was looked at first. */
  readonly unconsumed: number;
  /** True where the store was written to meanwhile, so that its digest is of no one moment. */
  readonly isMoving: boolean;
}

/**
 * Applies the rule anew to everything that the source holds up to where the store stands, and compares what comes of it
 * with the store. Where workers go on with the store, sessions that differ are looked at again as the store stands then,
 * a few times. Throws `SOURCE_LOST_HISTORY` where the source lacks the beginning, or holds another record at the store's
 * position, and what {@link compareStores} and the replay throw.
 */
export async function compareWithSource(options: SourceComparisonOptions): Promise<SourceComparison> {
  const { store } = options;
  const unconsumed = await countUnconsumed(options);
  let only: ReadonlySet<SessionId> | undefined;
  let whole: Comparison | undefined;
  for (let round = 1; ; round += 1) {
    await replayAsFarAs(options);
    options.onComparing();
    const isLast = round === rounds || !store.capabilities.shared;
    const { comparison, suspects } = await compareRound(options, only, isLast);
    whole ??= comparison;
    const { differences, differentSessions } = comparison;
    const result = { ...whole, differences, differentSessions, unconsumed, isMoving: round > 1 };
    if (isLast || differences === 0) return result;
    only = suspects;
  }
}

/** Differences are told at once in the last round; before, only whose they are is kept, where it is no more than that. */
async function compareRound(
  { store, target, signal, onProgress, onDifference }: SourceComparisonOptions,
  only: ReadonlySet<SessionId> | undefined,
  isLast: boolean,
): Promise<{ readonly comparison: Comparison; readonly suspects: ReadonlySet<SessionId> | undefined }> {
  const suspects = new Set<SessionId>();
  const comparison = await compareStores(
    { first: new StoreSource(store), second: new StoreSource(target), scope: 'everything', only },
    {
      signal,
      onProgress,
      onDifference: async (difference) => {
        if (isLast) await onDifference(difference);
        else if (difference.session !== undefined && suspects.size <= mostSuspects) suspects.add(difference.session);
      },
    },
  );
  return { comparison, suspects: suspects.size > mostSuspects ? only : suspects };
}

/** Goes on replaying to where the store stands now; all of a source that it was not filled from. */
async function replayAsFarAs(options: SourceComparisonOptions): Promise<void> {
  const { store, source, target } = options;
  const stored = await store.readPositions(source.source);
  const bounds = await source.bounds();
  const offsets = new Map([...bounds.keys()].map((partition) => [partition, stored.get(partition)?.next ?? 0]));
  const until = stored.size === 0 ? {} : { offsets };
  await replayInto({ ...options, selection: undefined, base: undefined, until, onLost: () => Promise.resolve() });
  refuseOtherRecords(source.source, stored, await target.readPositions(source.source));
}

function refuseOtherRecords(
  source: string,
  stored: ReadonlyMap<number, StoredPosition>,
  replayed: ReadonlyMap<number, StoredPosition>,
): void {
  for (const [partition, { next, digest }] of stored) {
    const found = replayed.get(partition);
    if (found?.next === next && found.digest === digest) continue;
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `the store stands at offset ${next} of partition ${partition} of ${source}, which holds ` +
        `${found?.next === next ? 'another record there' : `nothing beyond offset ${found?.next ?? 0}`}`,
    );
  }
}

async function countUnconsumed({ store, source }: SourceComparisonOptions): Promise<number> {
  const stored = await store.readPositions(source.source);
  if (stored.size === 0) return 0;
  let records = 0;
  for (const [partition, { end }] of await source.bounds()) {
    records += Math.max(0, end - (stored.get(partition)?.next ?? 0));
  }
  return records;
}
