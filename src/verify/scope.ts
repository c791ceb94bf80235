import type { Digest } from '../domain/digest.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { CopySource, SourceSession } from '../ports/copy-source.ts';
import { digestContent, digestSession, FramedDigest } from '../transfer/session-digest.ts';

/**
 * What of a store is compared: `everything` that it keeps, cursors, parked commands and dead letters included; or the
 * `content` of existing sessions alone, which are their logs, snapshots, receipts and anchors.
 */
export type Scope = 'everything' | 'content';

/** Each a digest over the session's id and all that counts of it. */
const digests: Readonly<Record<Scope, (session: SourceSession) => Promise<Digest>>> = {
  everything: digestSession,
  async content(session) {
    const digest = new FramedDigest();
    digest.add('i', Buffer.from(session.session, 'utf8'));
    digest.add('d', Buffer.from(await digestContent(session), 'latin1'));
    return digest.finish();
  },
};

/** Reads all of the session that counts. */
export function digestWithin(session: SourceSession, scope: Scope): Promise<Digest> {
  return digests[scope](session);
}

/** Where sessions are looked for. */
export type Sessions = Pick<CopySource, 'open'>;

/** The session, to be closed by the caller, or undefined where nothing of it counts. */
export async function openWithin(
  session: SessionId,
  source: Sessions,
  scope: Scope,
): Promise<SourceSession | undefined> {
  const read = await source.open(session);
  if (read === undefined || scope === 'everything' || read.exists) return read;
  await read[Symbol.asyncDispose]();
  return undefined;
}
