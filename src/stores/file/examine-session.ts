import type { Cursor } from '../../domain/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import { AdoptedSession } from '../adopted-session.ts';
import { ChunkWriter, type LogChunk } from './log-index.ts';
import { readLines } from './log-lines.ts';
import type { Places } from './places.ts';
import type { SessionState } from './session-state.ts';

/** A session that macp-runtime wrote, as it lies in its folder. */
export interface FoundSession {
  /** What a cursor of it says that numbers nothing yet. */
  readonly cursor: Cursor;
  readonly state: SessionState;
  readonly chunks: readonly LogChunk[];
}

/** Where sessions lie. */
export interface SessionPlace {
  readonly files: SharedFileSystem;
  readonly places: Places;
}

/**
 * Reads the folder of a session, which is there. A log that a crash cut off within its last line, or that holds what
 * macp-runtime merely overlooks (empty lines, white space between tokens), is written anew without it first: the next
 * entry must begin a line. Throws `STORE_CORRUPT`, naming file and line, for a line before the last that is no entry.
 */
export async function examineSession(place: SessionPlace, session: SessionId): Promise<FoundSession> {
  const { files, places } = place;
  const log = await examineLog(place, session);
  if (!log.isRegular) await rewriteLog(place, session);
  const isThere = async (file: 'log' | 'snapshot' | 'receipt' | 'anchor'): Promise<boolean> =>
    (await files.status(places.file(session, file))) !== undefined;
  const has = { hasReceipt: await isThere('receipt'), hasAnchor: await isThere('anchor') };
  return {
    cursor: log.adopted.cursor(has),
    state: {
      hasLog: await isThere('log'),
      logBytes: log.bytes,
      snapshot: (await isThere('snapshot')) ? 'pretty' : 'absent',
    },
    chunks: log.chunks,
  };
}

async function examineLog(place: SessionPlace, session: SessionId) {
  const adopted = new AdoptedSession(session);
  const chunks = new ChunkWriter(0, 0);
  let bytes = 0;
  let isRegular = true;
  for await (const { entry, regular } of readEntries(place, session, adopted)) {
    isRegular &&= regular;
    if (entry === undefined) continue;
    chunks.add(entry);
    bytes += entry.length + 1;
  }
  return { adopted, chunks: chunks.finish(), bytes, isRegular };
}

/** Each line's entry, if it holds one, and whether it is exactly what macp-runtime writes of it. */
async function* readEntries(
  { files, places }: SessionPlace,
  session: SessionId,
  adopted: AdoptedSession,
): AsyncGenerator<{ readonly entry: Uint8Array | undefined; readonly regular: boolean }> {
  const path = places.file(session, 'log');
  for await (const { number, bytes, ended } of readLines(files, path)) {
    if (bytes.toString('latin1').trim() === '') {
      yield { entry: undefined, regular: false };
      continue;
    }
    const { data, refusal } = check(adopted, session, bytes, ended);
    if (refusal === undefined) yield { entry: data, regular: ended && data.length === bytes.length };
    else if (ended) throw new PersistenceError('STORE_CORRUPT', `${path}, line ${number}: ${refusal.message}`);
    else yield { entry: undefined, regular: false };
  }
}

/** What was cut off is not an entry, and must not be counted as one. */
function check(adopted: AdoptedSession, session: SessionId, bytes: Uint8Array, ended: boolean) {
  if (ended) return adopted.add(bytes);
  const attempt = new AdoptedSession(session).add(bytes);
  return attempt.refusal === undefined ? adopted.add(bytes) : attempt;
}

async function rewriteLog(place: SessionPlace, session: SessionId): Promise<void> {
  const { files, places } = place;
  const draft = places.draft(session, 'log');
  {
    await using file = await files.openShared(draft, 'create');
    let at = 0;
    for await (const { entry } of readEntries(place, session, new AdoptedSession(session))) {
      if (entry === undefined) continue;
      await file.write(Buffer.concat([entry, lineEnd]), at);
      at += entry.length + 1;
    }
    await file.datasync();
  }
  await files.rename(draft, places.file(session, 'log'));
  await files.syncDirectory(places.session(session));
}

const lineEnd = Buffer.of(0x0a);
