import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { cursorKey } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import { LevelRecords } from '../../level/level-records.ts';
import type { SessionPlace } from './examine-session.ts';
import { inParallel } from './in-parallel.ts';
import { listFolders } from './list-folders.ts';
import { lastChunk } from './log-chunks.ts';
import { sizeOf } from './log-index.ts';
import { isChunk } from './log-pages.ts';
import { decodeState, parseStateKey, type SessionState, stateRange } from './session-state.ts';

const lookedAtOnce = 8;

/** A session that is not as this program left it, and how one sees that. */
export interface ChangedSession {
  readonly session: SessionId;
  readonly difference: string;
}

/** Those that are known to be changed, and every other session whose folder is not what the records say. */
export async function findChanges(
  place: SessionPlace,
  database: Database,
  known: readonly ChangedSession[],
): Promise<readonly ChangedSession[]> {
  const changed: ChangedSession[] = [...known];
  const isKnown = new Set(known.map(({ session }) => session));
  const unknown = new Set(await listFolders(place));
  for await (const page of new LevelRecords(database).pages(stateRange)) {
    const sessions = page.map(([key]) => parseStateKey(key));
    const cursors = await database.getMany(sessions.map(cursorKey));
    await inParallel(sessions.keys(), lookedAtOnce, async (index) => {
      const session = sessions[index];
      const stored = page[index]?.[1];
      const cursor = cursors[index];
      if (session === undefined || stored === undefined) return;
      const hasFolder = unknown.delete(session);
      if (isKnown.has(session)) return;
      const held = { state: decodeState(stored), cursor: cursor === undefined ? undefined : decodeCursor(cursor) };
      const difference = hasFolder ? await differenceOf(place, database, session, held) : 'is not there any more';
      if (difference !== undefined) changed.push({ session, difference });
    });
  }
  for (const session of unknown) if (!isKnown.has(session)) changed.push({ session, difference: 'is unknown here' });
  return changed;
}

async function differenceOf(
  { files, places }: SessionPlace,
  database: Database,
  session: SessionId,
  { state, cursor }: { readonly state: SessionState; readonly cursor: Cursor | undefined },
): Promise<string | undefined> {
  if (cursor === undefined) return 'has no cursor here';
  const log = places.file(session, 'log');
  const size = (await files.status(log))?.size;
  const expected = state.hasLog ? state.logBytes : undefined;
  if (size !== expected) return `has a log of ${size ?? 'no'} bytes instead of ${expected ?? 'none'}`;
  for (const file of ['receipt', 'anchor'] as const) {
    const isThere = (await files.status(places.file(session, file))) !== undefined;
    const wasThere = file === 'receipt' ? cursor.hasReceipt : cursor.hasAnchor;
    if (isThere !== wasThere) return isThere ? `has ${file}.json now` : `has no ${file}.json any more`;
  }
  const { entries, generation } = cursor;
  const chunk = entries === 0 ? undefined : await lastChunk(database, { session, generation }, entries);
  if (chunk === undefined) return undefined;
  await using file = await files.open(log, 'read');
  const bytes = Buffer.allocUnsafe(sizeOf(chunk));
  const read = await file.read(bytes, chunk.offset);
  return isChunk(chunk, bytes.subarray(0, read)) ? undefined : 'has a log that ends otherwise';
}
