import type { SourceId } from './plan.ts';

/*
 * A store that is filled by a copy says so among its positions, so that every store can tell without a record of its
 * own kind: partition 0 of the source `copy:NAME` counts the commits of the copy, partition 1 stands there once it is
 * complete.
 */

const prefix = 'copy:';

export const copyPartitions = { commits: 0, complete: 1 } as const;

/** The source under which a copy of the source `name` notes how far it is. */
export function copyMarker(name: string): SourceId {
  return `${prefix}${name}` as SourceId;
}

export function isCopyMarker(source: SourceId): boolean {
  return source.startsWith(prefix);
}

/** What a marker says that the store is a copy of. */
export function copiedName(marker: SourceId): string {
  return marker.slice(prefix.length);
}
