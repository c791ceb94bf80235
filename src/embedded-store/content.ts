import type { SourceId, StoredPosition } from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';
import type { OpenedEngine } from './engine.ts';
import { RecentSessions } from './recent-sessions.ts';
import { RecordReader } from './record-reader.ts';
import type { Records } from './records.ts';
import { StoredCursors } from './stored-cursors.ts';

/** The stored cursor version of a session; undefined when the store has no cursor of it. */
export type StoredVersion = number | undefined;

/** What is known of an open engine's content. Sound because one process owns it; all of it ends with the handle. */
export interface Content {
  readonly records: Records;
  readonly reader: RecordReader;
  readonly cursors: StoredCursors;
  /** The stored cursor versions, so that most commits need not read before they write. */
  readonly versions: RecentSessions<StoredVersion>;
  readonly positions: Map<SourceId, Map<number, StoredPosition>>;
  /** As of the last commit. */
  totals: StoreTotals;
}

/** Reads what is kept in memory of an engine that was just opened: versions of at most `cachedVersions` sessions. */
export async function readContent({ records, totals }: OpenedEngine, cachedVersions: number): Promise<Content> {
  const reader = new RecordReader(records);
  return {
    records,
    reader,
    cursors: new StoredCursors(reader),
    versions: new RecentSessions(cachedVersions),
    positions: await reader.positions(),
    totals,
  };
}
