import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor, encodeCursor } from '../../domain/encoding/cursor.ts';
import { encodeTotals } from '../../domain/encoding/totals.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { countCursor, type StoreTotals } from '../../domain/totals.ts';
import { cursorKey, totalsKey } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import { writeFound } from './adopt.ts';
import { examineSession, type SessionPlace } from './examine-session.ts';
import type { ChangedSession } from './find-changes.ts';
import { earlierChunks } from './log-index.ts';
import { flush } from './records-database.ts';
import { stateKey } from './session-state.ts';

/** Refuses what somebody else changed: nothing goes on from there without a person's word. */
export function changedElsewhere(directory: string, changed: readonly ChangedSession[]): PersistenceError {
  const [first] = changed;
  const more = changed.length > 1 ? ` (and ${changed.length - 1} more)` : '';
  return new PersistenceError(
    'STORE_CHANGED_ELSEWHERE',
    `macp-runtime, or something else, wrote to ${directory} after this project did: session ${JSON.stringify(first?.session)}${more} ` +
      `${first?.difference}. Open it once with --adopt-changes to take it as it is now, or put a backup in its place`,
  );
}

/**
 * Takes these sessions as they lie in their folders now: what was numbered stays numbered, and what is gone counts as
 * deleted. Interrupted, it is done again for those that are left. Resolves with the totals afterwards.
 */
export async function adoptChanges(
  place: SessionPlace,
  database: Database,
  before: StoreTotals,
  changed: readonly ChangedSession[],
): Promise<StoreTotals> {
  const totals = { ...before, deadLetters: { ...before.deadLetters } };
  const batch = new ReusedBatch(database);
  for (const { session } of changed) {
    const stored = await database.get(cursorKey(session));
    const cursor = stored === undefined ? undefined : decodeCursor(stored);
    const after = await adoptOne(place, batch, session, cursor);
    if (cursor !== undefined) countCursor(totals, cursor, -1);
    countCursor(totals, after, 1);
    batch.put(totalsKey, encodeTotals(totals));
    await batch.write({ sync: false });
    await database.clear(earlierChunks(session, after.generation));
  }
  await flush(database);
  return totals;
}

async function adoptOne(
  place: SessionPlace,
  batch: ReusedBatch,
  session: SessionId,
  cursor: Cursor | undefined,
): Promise<Cursor> {
  const numbers = { generation: (cursor?.generation ?? 0) + 1, version: (cursor?.version ?? 0) + 1 };
  if ((await place.files.status(place.places.session(session))) === undefined && cursor !== undefined) {
    const gone: Cursor = { ...cursor, ...numbers, ...nothing, presence: 'deleted' };
    batch.put(cursorKey(session), encodeCursor(gone));
    batch.del(stateKey(session));
    return gone;
  }
  const found = await examineSession(place, session);
  const { entries, compactionBase, hasReceipt, hasAnchor } = found.cursor;
  const asItIs = { entries, compactionBase, hasReceipt, hasAnchor, presence: 'known' } as const;
  const after: Cursor = cursor === undefined ? found.cursor : { ...cursor, ...numbers, ...asItIs };
  writeFound(batch, session, after, found);
  return after;
}

const nothing = { entries: 0, compactionBase: 0, hasReceipt: false, hasAnchor: false } as const;
