import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { obstacleOf } from '../domain/standing.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionPage, SessionQuery, SessionRow } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';
import { sessionRow } from './session-summary.ts';

/** Where a page ends although it is not full, so that a filter that hardly anything passes holds nobody up. */
const mostScanned = 2_000;
const longestScan = 50;
/** Sessions that are looked at together: the snapshot of each may be of 16 MiB, and more of them are no faster. */
const groupSize = 4;

/**
 * One page of sessions in UTF-8 byte order of their ids: of those that exist, or, where only blocked ones are asked
 * for, of all that the store has heard of, because commands may wait for a session that does not exist (any more).
 * Throws a TypeError unless the limit is a whole number from 1.
 */
export async function listSessions(store: Store, clock: Clock, query: SessionQuery): Promise<SessionPage> {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1) throw new TypeError('limit must be a whole number from 1');
  const start = clock.elapsed();
  const sessions: SessionRow[] = [];
  let { after } = query;
  let scanned = 0;
  do {
    const group = await store.listCursors({ after, limit: groupSize });
    const rows = await Promise.all(group.map(([session, cursor]) => rowOf(store, query, session, cursor)));
    for (const [index, row] of rows.entries()) {
      after = group[index]?.[0];
      if (row !== undefined) sessions.push(row);
      if (sessions.length === query.limit) break;
    }
    if (sessions.length === query.limit) break;
    if (group.length < groupSize) return { sessions, next: null };
    scanned += groupSize;
  } while (scanned < mostScanned && clock.elapsed() - start < longestScan);
  return { sessions, next: after ?? null };
}

/** The session's row, or undefined when the query does not ask for it. */
async function rowOf(
  store: Store,
  query: SessionQuery,
  session: SessionId,
  listed: Cursor,
): Promise<SessionRow | undefined> {
  const isBlocked = obstacleOf(listed) !== undefined;
  if (query.blocked === true && !isBlocked) return undefined;
  if (listed.presence !== 'known') {
    const isWanted = query.blocked === true && query.state === undefined && query.mode === undefined;
    return isWanted ? sessionRow(session, listed, undefined) : undefined;
  }
  await using view = await store.openSession(session);
  // Deleted since its cursor was listed.
  if (view === undefined) return undefined;
  const row = sessionRow(session, view.cursor, await view.snapshot());
  const isWanted =
    (query.state === undefined || row.state === query.state) &&
    (query.mode === undefined || row.mode === query.mode) &&
    (query.blocked !== true || row.blocked !== null);
  return isWanted ? row : undefined;
}
