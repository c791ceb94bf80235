import type { Digest } from '../domain/digest.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { Store } from '../ports/store.ts';
import { type CopyOptions, throwIfAborted } from './copy-options.ts';
import { copySession, type SessionCopy } from './copy-session.ts';
import { readCopyState } from './copy-target.ts';
import { CopyWriter } from './copy-writer.ts';
import { sameCursor } from './session-digest.ts';
import { verifyCopy } from './verify-copy.ts';

/** What a copy came to. */
export interface CopyReport {
  /** Sessions that the target holds now, those of which only something beside is kept included. */
  readonly sessions: number;
  /** Sessions that an earlier attempt had copied already. */
  readonly passedOver: number;
  /** Log entries, and bytes of them and of snapshots, receipts and anchors, that were copied this time. */
  readonly entries: number;
  readonly bytes: number;
  /** Over both sides alike: see `store-digest.ts`. */
  readonly digest: Digest;
}

/**
 * Copies everything that the source holds into the target, cursors, parked commands and dead letters included, then
 * reads both sides and compares them, and only then puts the positions there and says that the copy is complete. An
 * interrupted copy goes on when it is begun again.
 *
 * Throws `TARGET_NOT_EMPTY` when the target holds anything else; `COPY_DIFFERS` when the two sides are not the same in
 * the end; `ABORTED`; whatever the stores throw.
 */
export async function copyStore(source: CopySource, options: CopyOptions): Promise<CopyReport> {
  const { target } = options;
  const state = await readCopyState(target, source.name);
  const writer = new CopyWriter(target, state.marker, state.commits);
  const copy: SessionCopy = { source, target, writer };
  if (state.isComplete) {
    const { sessions, digest } = await verifyCopy(copy, { ...options, repairs: false });
    return { sessions, passedOver: sessions, entries: 0, bytes: 0, digest };
  }
  const positions = await source.positions();
  if (state.commits === undefined) await writer.begun();
  const copied = await copySessions(copy, options, state.commits !== undefined);
  for await (const letters of source.withoutSession()) await writer.fileWithoutSession(letters);
  const { sessions, digest } = await verifyCopy(copy, { ...options, repairs: true });
  await writer.complete(positions);
  return { sessions, ...copied, digest };
}

/** What was copied, and passed over. */
type Copied = Pick<CopyReport, 'passedOver' | 'entries' | 'bytes'>;

async function copySessions(copy: SessionCopy, options: CopyOptions, isResumed: boolean): Promise<Copied> {
  const { source, target, writer } = copy;
  const copied = { passedOver: 0, entries: 0, bytes: 0 };
  let sessions = 0;
  for await (const session of source.sessions()) {
    throwIfAborted(options.signal);
    if (isResumed && (await stands(session, source, target))) copied.passedOver += 1;
    else {
      const { entries = 0, bytes = 0 } = (await copySession(session, copy)) ?? {};
      copied.entries += entries;
      copied.bytes += bytes;
    }
    sessions += 1;
    options.onProgress('copying', sessions);
  }
  await writer.flush();
  return copied;
}

/** True when the target holds the session as far as its cursor tells. */
async function stands(session: SessionId, source: CopySource, target: Store): Promise<boolean> {
  const [stored] = await target.readCursors([session]);
  if (stored === undefined) return false;
  await using read = await source.open(session);
  return read !== undefined && sameCursor(await read.cursor(), stored);
}
