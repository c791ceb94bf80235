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

/** What is known of a session. */
interface Held {
  readonly state: SessionState;
  readonly cursor: Cursor | undefined;
  /** When the store was closed last, by the clock of the file system; 0 when it never was. */
  readonly closed: number;
}

/** Those that are known to be changed, and every other session whose folder is not what the records say. */
export async function findChanges(
  place: SessionPlace,
  database: Database,
  known: readonly ChangedSession[],
): Promise<readonly ChangedSession[]> {
  const changed: ChangedSession[] = [...known];
  const isKnown = new Set(known.map(({ session }) => session));
  const closed = (await place.files.status(place.places.closed))?.modified ?? 0;
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
      const held = {
        state: decodeState(stored),
        cursor: cursor === undefined ? undefined : decodeCursor(cursor),
        closed,
      };
      const difference = hasFolder ? await differenceOf(place, database, session, held) : 'is not there any more';
      if (difference !== undefined) changed.push({ session, difference });
    });
  }
  for (const session of unknown) if (!isKnown.has(session)) changed.push({ session, difference: 'is unknown here' });
  return changed;
}

/**
 * How the session differs from what is known of it. What was not modified since `closed` is what it was then: the bytes
 * at the end of a log are compared only where they may be others.
 */
async function differenceOf(
  { files, places }: SessionPlace,
  database: Database,
  session: SessionId,
  { state, cursor, closed }: Held,
): Promise<string | undefined> {
  if (cursor === undefined) return 'has no cursor here';
  const folder = await files.status(places.session(session));
  const log = await files.status(places.file(session, 'log'));
  const expected = state.hasLog ? state.logBytes : undefined;
  if (log?.size !== expected) return `has a log of ${log?.size ?? 'no'} bytes instead of ${expected ?? 'none'}`;
  const hasOthers = folder === undefined || folder.modified >= closed;
  const difference = hasOthers ? await otherFilesOf({ files, places }, session, cursor) : undefined;
  if (difference !== undefined) return difference;
  const mayDiffer = hasOthers || (log !== undefined && log.modified >= closed);
  return mayDiffer && cursor.entries > 0 ? endOf({ files, places }, database, session, cursor) : undefined;
}

async function otherFilesOf(
  { files, places }: SessionPlace,
  session: SessionId,
  { hasReceipt, hasAnchor }: Cursor,
): Promise<string | undefined> {
  for (const [file, wasThere] of [
    ['receipt', hasReceipt],
    ['anchor', hasAnchor],
  ] as const) {
    const isThere = (await files.status(places.file(session, file))) !== undefined;
    if (isThere !== wasThere) return isThere ? `has ${file}.json now` : `has no ${file}.json any more`;
  }
  return undefined;
}

async function endOf(
  { files, places }: SessionPlace,
  database: Database,
  session: SessionId,
  { entries, generation }: Cursor,
): Promise<string | undefined> {
  const chunk = await lastChunk(database, { session, generation }, entries);
  if (chunk === undefined) return undefined;
  await using file = await files.open(places.file(session, 'log'), 'read');
  const bytes = Buffer.allocUnsafe(sizeOf(chunk));
  const read = await file.read(bytes, chunk.offset);
  return isChunk(chunk, bytes.subarray(0, read)) ? undefined : 'has a log that ends otherwise';
}
