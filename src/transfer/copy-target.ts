import { copiedName, copyMarker, copyPartitions, isCopyMarker } from '../domain/copy-marker.ts';
import { PersistenceError } from '../domain/errors.ts';
import { wholeOf } from '../domain/partial-source.ts';
import type { SourceId, StoredPosition } from '../domain/plan.ts';
import type { Store } from '../ports/store.ts';

/** How far a copy into a target has come. */
export interface CopyState {
  readonly marker: SourceId;
  readonly commits: StoredPosition | undefined;
  readonly isComplete: boolean;
}

/**
 * How far the copy of the source `name` into the target has come; undefined commits where it is empty. Throws
 * `TARGET_NOT_EMPTY` when the target holds anything that this very copy has not put there.
 */
export async function readCopyState(target: Store, name: string): Promise<CopyState> {
  const marker = copyMarker(name);
  const sources = await target.readSources();
  if (sources.includes(marker)) {
    const positions = await target.readPositions(marker);
    const isComplete = positions.has(copyPartitions.complete);
    return { marker, commits: positions.get(copyPartitions.commits), isComplete };
  }
  const holds = await whatItHolds(target, sources);
  if (holds === undefined) return { marker, commits: undefined, isComplete: false };
  throw new PersistenceError(
    'TARGET_NOT_EMPTY',
    `the store ${target.identity.kind}:${target.identity.id} ${holds}: copy into one that is empty`,
  );
}

/** What a store holds, as a predicate for people; undefined where it is empty. `sources`: those that it has. */
export async function whatItHolds(target: Store, sources: readonly SourceId[]): Promise<string | undefined> {
  const [other] = sources.filter(isCopyMarker);
  if (other !== undefined) return `is a copy of ${copiedName(other)}, or was to become one`;
  const [source] = sources;
  const whole = source && wholeOf(source);
  if (whole !== undefined) return `was filled with some sessions of ${whole}`;
  if (source !== undefined) return `was filled from ${source}`;
  const [session] = await target.listCursors({ limit: 1 });
  if (session !== undefined) return `holds sessions, such as ${JSON.stringify(session[0])}`;
  const [filed] = await target.readFiled(undefined, { limit: 1 });
  return filed === undefined ? undefined : 'holds dead letters';
}
