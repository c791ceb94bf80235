import type { Cursor } from '../domain/cursor.ts';
import type { Digest } from '../domain/digest.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { CopySource, SourceSession } from '../ports/copy-source.ts';
import type { Store } from '../ports/store.ts';
import type { CopyWriter } from './copy-writer.ts';
import { ContentDigest, readDocuments, SessionDigest, type SessionDocuments } from './session-digest.ts';
import type { SessionDraft } from './session-draft.ts';

/** How often a session is begun again that workers go on changing while it is copied. */
const attempts = 20;

/** What was copied of a session this time, and its digest as it was read. */
export interface CopiedSession {
  readonly digest: Digest;
  readonly entries: number;
  readonly bytes: number;
}

export interface SessionCopy {
  readonly source: CopySource;
  readonly target: Store;
  readonly writer: CopyWriter;
}

/**
 * Copies a session as of one moment; undefined when the source keeps nothing of it any more. It is committed with the
 * writer's group, or, where it is large, in several commits. Of those that an interrupted copy has made it goes on, by
 * number: whether the source still holds the same is found when both sides are compared, and then, as with anything
 * else that the target holds of it, it begins anew. Throws `VIEW_EXPIRED` when it was changed too often meanwhile.
 */
export async function copySession(session: SessionId, copy: SessionCopy): Promise<CopiedSession | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    await using read = await copy.source.open(session);
    if (read === undefined) return undefined;
    const [before] = await copy.target.readCursors([session]);
    try {
      const copied = await copyOnce(await copy.writer.begin(session, before, attempt === 1), read, copy.writer);
      if (copied !== undefined) return copied;
    } catch (error) {
      if (!isPersistenceError(error, 'VIEW_EXPIRED') || attempt === attempts) throw error;
    }
  }
}

/** Undefined when the source holds less than the draft goes on behind. */
async function copyOnce(
  draft: SessionDraft,
  read: SourceSession,
  writer: CopyWriter,
): Promise<CopiedSession | undefined> {
  const digest = new SessionDigest(read.session);
  const content = new ContentDigest();
  const copied = { entries: 0, bytes: 0 };
  for await (const commands of read.parked()) {
    digest.addParked(commands);
    for (const command of commands) draft.addParked(command);
    await writer.makeRoom(draft);
  }
  for await (const records of read.filed()) {
    digest.addFiled(records);
    for (const record of await writer.notFiled(records)) draft.addFiled(record);
    await writer.makeRoom(draft);
  }
  for await (const entries of read.log()) {
    content.addEntries(entries);
    const added = entries.filter((entry) => draft.addEntry(entry));
    copied.entries += added.length;
    copied.bytes += sizeOf(added);
    await writer.makeRoom(draft);
  }
  if (draft.fallsShort) return undefined;
  const documents = await readDocuments(read);
  const documentBytes = sizeOf(Object.values<Uint8Array | undefined>({ ...documents }));
  const cursor = await read.cursor();
  assertWhole(read.session, cursor, draft.standing + copied.entries, documents);
  await writer.end(draft.takeLast(cursor, documents), draft.bytes + documentBytes);
  return { ...copied, bytes: copied.bytes + documentBytes, digest: digest.finish(cursor, content.finish(documents)) };
}

/** A source that contradicts itself is not copied: the target would refuse it, or keep it like that. */
function assertWhole(session: SessionId, cursor: Cursor, entries: number, documents: SessionDocuments): void {
  const name = JSON.stringify(session);
  if (cursor.entries !== entries) {
    throw new PersistenceError(
      'STORE_CORRUPT',
      `session ${name} has ${entries} log entries where its cursor counts ${cursor.entries}`,
    );
  }
  for (const [kind, says, holds] of [
    ['receipt', cursor.hasReceipt, documents.receipt !== undefined],
    ['anchor', cursor.hasAnchor, documents.anchor !== undefined],
  ] as const) {
    if (says === holds) continue;
    throw new PersistenceError(
      'STORE_CORRUPT',
      `session ${name} ${holds ? 'has' : 'lacks'} the ${kind} that its cursor ${says ? 'tells of' : 'knows nothing of'}`,
    );
  }
}

function sizeOf(parts: readonly (Uint8Array | undefined)[]): number {
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
}
