import type { Cursor } from '../domain/cursor.ts';
import { isPersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FollowedEvent, FollowPoint } from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import { sessionNotFound } from '../read-side/session-reader.ts';

/** What a follower stands on. */
export interface FollowMeans {
  readonly store: Store;
  readonly watch: SessionWatch;
}

/**
 * A session's log entries in order, then those to come, until `signal` is aborted. When the log was replaced or
 * deleted, `reset` says so and the new one is told from its entry 0; several such changes between two looks are told
 * as one. A deleted session is waited for to live again. Between two looks nothing is held open and one page of
 * entries is in memory, however slow the reader. Throws `SESSION_NOT_FOUND` for a session that was never heard of.
 */
export async function* followLog(
  session: SessionId,
  from: FollowPoint,
  { store, watch }: FollowMeans,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  let [cursor] = await watch.cursors([session]);
  if (cursor === undefined || cursor.version === 0) throw sessionNotFound(session);
  let { generation = cursor.generation, ordinal } = from;
  while (!signal.aborted) {
    if (cursor.generation !== generation) {
      ({ generation } = cursor);
      ordinal = 0;
      yield { kind: 'reset', generation };
    } else if (cursor.entries > ordinal) {
      const page = await readPage(store, session, ordinal);
      if (page?.cursor.generation === generation) {
        for (const entry of page.entries) {
          yield { kind: 'entry', generation, ordinal, entry };
          ordinal += 1;
        }
      }
      // A session that is gone by now has another version than the one that was seen.
      cursor = page?.cursor ?? (await nextCursor(watch, session, cursor, signal)) ?? cursor;
    } else cursor = (await nextCursor(watch, session, cursor, signal)) ?? cursor;
  }
}

/** The entries from `ordinal` on that the store reads at once, and the cursor of the same moment. */
async function readPage(
  store: Store,
  session: SessionId,
  ordinal: number,
): Promise<{ readonly cursor: Cursor; readonly entries: readonly Uint8Array[] } | undefined> {
  await using view = await store.openSession(session);
  if (view === undefined) return undefined;
  for await (const entries of view.log({ from: ordinal })) return { cursor: view.cursor, entries };
  return { cursor: view.cursor, entries: [] };
}

/** The session's next cursor, or undefined once `signal` is aborted. */
async function nextCursor(
  watch: SessionWatch,
  session: SessionId,
  { version }: Cursor,
  signal: AbortSignal,
): Promise<Cursor | undefined> {
  try {
    return await watch.changed(session, version, signal);
  } catch (error) {
    if (signal.aborted && isPersistenceError(error, 'ABORTED')) return undefined;
    throw error;
  }
}
