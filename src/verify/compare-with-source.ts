import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { ReplaySource } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import { type RebuildOptions, replayInto } from '../replay/rebuild.ts';
import { StoreSource } from '../transfer/store-source.ts';
import { type Comparison, compareStores } from './compare-stores.ts';
import type { Difference } from './difference.ts';

/** How often sessions that differ are looked at in a store that workers go on with. */
const rounds = 5;
/** Of so many sessions, at most, is known whether they are written to while they are compared. */
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
  /** Sessions that were written to whenever they were looked at, so that nothing can be said of them. */
  readonly movingSessions: number;
  /** True where sessions had to be looked at again: the digests are of no one moment then. */
  readonly isMoving: boolean;
}

/** Sessions that differ, with the versions of their cursors before they were looked at. */
type Suspects = ReadonlyMap<SessionId, number | undefined>;

/**
 * Applies the rule anew to everything that the source holds up to where the store stands, and compares what comes of it
 * with the store. Where workers go on with the store, sessions that differ are looked at again as the store stands then,
 * a few times. Throws `SOURCE_LOST_HISTORY` where the source lacks the beginning, or holds another record at the store's
 * position, and what {@link compareStores} and the replay throw.
 */
export async function compareWithSource(options: SourceComparisonOptions): Promise<SourceComparison> {
  const { store } = options;
  const unconsumed = await countUnconsumed(options);
  let suspects: Suspects | undefined;
  let whole: Comparison | undefined;
  for (let round = 1; ; round += 1) {
    suspects = suspects && (await withVersions(suspects, store));
    await replayAsFarAs(options);
    options.onComparing();
    const isLast = round === rounds || !store.capabilities.shared;
    const found = await compareRound(options, suspects, isLast);
    whole ??= found.comparison;
    const { differences, differentSessions, movingSessions } = found;
    if (isLast || found.comparison.differences === 0) {
      return { ...whole, differences, differentSessions, movingSessions, unconsumed, isMoving: round > 1 };
    }
    suspects = found.suspects;
  }
}

interface Round extends Pick<SourceComparison, 'differences' | 'differentSessions' | 'movingSessions'> {
  readonly comparison: Comparison;
  /** Undefined where too many sessions differ: then all are looked at again. */
  readonly suspects: Suspects | undefined;
}

/** Compares the suspects, or everything. Differences are told in the last round only. */
async function compareRound(
  { store, target, signal, onProgress, onDifference }: SourceComparisonOptions,
  only: Suspects | undefined,
  isLast: boolean,
): Promise<Round> {
  const suspects = new Map<SessionId, undefined>();
  const moving = new Set<SessionId>();
  const different = new Set<SessionId>();
  let differences = 0;
  const comparison = await compareStores(
    { first: new StoreSource(store), second: new StoreSource(target), scope: 'everything', only },
    {
      signal,
      onProgress,
      onDifference: async (difference) => {
        const { session } = difference;
        if (!isLast) {
          if (session !== undefined && suspects.size <= mostSuspects) suspects.set(session, undefined);
        } else if (session !== undefined && (moving.has(session) || (await hasMoved(session, only, store)))) {
          moving.add(session);
        } else {
          if (session !== undefined) different.add(session);
          differences += 1;
          await onDifference(difference);
        }
      },
    },
  );
  return {
    comparison,
    suspects: suspects.size > mostSuspects ? undefined : suspects,
    differences,
    differentSessions: different.size,
    movingSessions: moving.size,
  };
}

async function withVersions(suspects: Suspects, store: Store): Promise<Suspects> {
  const sessions = [...suspects.keys()];
  const cursors = await store.readCursors(sessions);
  return new Map(sessions.map((session, index) => [session, cursors[index]?.version]));
}

/** True when the session was written to since its version was taken note of. */
async function hasMoved(session: SessionId, noted: Suspects | undefined, store: Store): Promise<boolean> {
  if (noted?.has(session) !== true) return false;
  const [cursor] = await store.readCursors([session]);
  return cursor?.version !== noted.get(session);
}

/** Goes on replaying to where the store stands now; all of a source that it was not filled from. */
async function replayAsFarAs(options: SourceComparisonOptions): Promise<void> {
  const { store, source, target } = options;
  const stored = await store.readPositions(source.source);
  const bounds = await source.bounds();
  const offsets = new Map([...bounds.keys()].map((partition) => [partition, stored.get(partition)?.next ?? 0]));
  const until = (await isFilledFrom(source, store)) ? { offsets } : {};
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

/** Whether the store has consumed anything of the source, or of what is replayed before that. */
async function isFilledFrom({ source, continues, openPrevious }: ReplaySource, store: Store): Promise<boolean> {
  const known = await store.readSources();
  if (known.includes(source)) return true;
  return openPrevious !== undefined && continues !== undefined && known.includes(continues.source);
}

async function countUnconsumed({ store, source }: SourceComparisonOptions): Promise<number> {
  if (!(await isFilledFrom(source, store))) return 0;
  const stored = await store.readPositions(source.source);
  let records = 0;
  for (const [partition, { end }] of await source.bounds()) {
    records += Math.max(0, end - (stored.get(partition)?.next ?? 0));
  }
  return records;
}
