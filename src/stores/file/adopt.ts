import type { Cursor } from '../../domain/cursor.ts';
import { encodeCursor } from '../../domain/encoding/cursor.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { countCursor, emptyTotals, type StoreTotals } from '../../domain/totals.ts';
import { cursorKey } from '../../embedded-store/record-keys.ts';
import type { Batch } from '../../embedded-store/write-records.ts';
import type { Database } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import { examineSession, type FoundSession, type SessionPlace } from './examine-session.ts';
import { listFolders } from './list-folders.ts';
import { chunkKey, encodeChunk } from './log-index.ts';
import { encodeState, stateKey } from './session-state.ts';

/** Gives every session that macp-runtime wrote a cursor in the empty `database`. Resolves with their totals. */
export async function adoptAll(place: SessionPlace, database: Database): Promise<StoreTotals> {
  const totals = emptyTotals();
  const batch = new ReusedBatch(database);
  for (const session of await listFolders(place)) {
    const found = await examineSession(place, session);
    writeFound(batch, session, found.cursor, found);
    countCursor(totals, found.cursor, 1);
    await batch.write({ sync: false });
  }
  return totals;
}

/** Puts a session with the cursor that it gets into `batch`. */
export function writeFound(batch: Batch, session: SessionId, cursor: Cursor, { state, chunks }: FoundSession): void {
  batch.put(cursorKey(session), encodeCursor(cursor));
  batch.put(stateKey(session), encodeState(state));
  for (const chunk of chunks) batch.put(chunkKey(session, cursor.generation, chunk.ordinal), encodeChunk(chunk));
}
