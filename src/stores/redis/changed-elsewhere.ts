import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { bytesOf, listOf, numberOf } from '../../redis/replies.ts';
import { type Adopted, adoptSessions, examine, give, upstreamSessions } from './adopt.ts';
import type { KeySpace } from './keys.ts';
import { surveyScript } from './maintenance-scripts.ts';
import { RedisReader } from './redis-reader.ts';

/** Sessions that are compared in one script, and that are read through before their cursors are written. */
const comparedAtOnce = 500;
const adoptedAtOnce = 100;

/** A session as of one moment: its cursor, and what lies under upstream's keys. */
interface Found {
  readonly session: SessionId;
  readonly cursor: Cursor | undefined;
  /** Upstream's set names it. */
  readonly isNamed: boolean;
  readonly entries: number;
  readonly hasReceipt: boolean;
}

/**
 * Throws `STORE_CHANGED_ELSEWHERE`, which names a session, where a cursor does not say what lies under upstream's keys.
 * Other workers may commit meanwhile: a session is compared as of one moment. An anchor may have expired, so nothing
 * follows from one that is missing; nor is a snapshot looked at, or an entry that stands in another's place.
 */
export async function assertUnchanged(connection: RedisConnection, keys: KeySpace): Promise<void> {
  for await (const sessions of everySession(connection, keys)) {
    const changed = (await survey(connection, keys, sessions)).find((found) => !isAsItWas(found));
    if (changed === undefined) continue;
    throw new PersistenceError(
      'STORE_CHANGED_ELSEWHERE',
      `macp-runtime, or something else, wrote to ${connection.where} after this project did: session ` +
        `${JSON.stringify(changed.session)} ${difference(changed)}. Stop what writes there, then open the store once ` +
        'with --adopt-changes to take it as it is now',
    );
  }
}

/**
 * Makes the cursors say what lies under upstream's keys: a session without one is adopted, one that is there keeps its
 * numbers and takes the log as it is now. Done again after an interruption it changes nothing that is done. Nobody else
 * may write meanwhile, which would be `STORE_CORRUPT`.
 */
export async function adoptChanges(connection: RedisConnection, keys: KeySpace, identity: string): Promise<void> {
  await adoptSessions(connection, keys, identity);
  const reader = new RedisReader(connection, keys);
  for await (const sessions of sessionsWithCursor(reader, adoptedAtOnce)) {
    // Another process may be adopting the same sessions: what it has done meanwhile is left out the next time.
    for (;;) {
      const adopted: Adopted[] = [];
      for (const found of await survey(connection, keys, sessions)) {
        const change = await changeOf(connection, keys, found);
        if (change !== undefined) adopted.push(change);
      }
      if (adopted.length === 0) break;
      await give(connection, keys, identity, adopted);
    }
  }
}

async function changeOf(connection: RedisConnection, keys: KeySpace, found: Found): Promise<Adopted | undefined> {
  const { session, cursor: before } = found;
  if (before === undefined) return undefined;
  const { cursor, largest } = await examine(connection, keys.home, session);
  const { entries, compactionBase, hasReceipt, hasAnchor } = cursor;
  const presence = found.isNamed ? 'known' : before.presence === 'known' ? 'deleted' : before.presence;
  const after: Cursor = { ...before, presence, entries, compactionBase, hasReceipt, hasAnchor };
  const isRight = (Object.keys(after) as (keyof Cursor)[]).every((name) => after[name] === before[name]);
  return isRight ? undefined : { session, before, after: { ...after, version: before.version + 1 }, largest };
}

async function* everySession(connection: RedisConnection, keys: KeySpace): AsyncGenerator<readonly SessionId[]> {
  yield* sessionsWithCursor(new RedisReader(connection, keys), comparedAtOnce);
  yield* upstreamSessions(connection, keys);
}

async function* sessionsWithCursor(reader: RedisReader, limit: number): AsyncGenerator<readonly SessionId[]> {
  for (let after: SessionId | undefined; ; ) {
    const page = (await reader.cursorPage({ after, limit }, () => true)).map(([session]) => session);
    after = page.at(-1);
    if (after === undefined) return;
    yield page;
  }
}

async function survey(
  connection: RedisConnection,
  { home }: KeySpace,
  sessions: readonly SessionId[],
): Promise<readonly Found[]> {
  if (sessions.length === 0) return [];
  const own = sessions.flatMap((session) => [home.log(session), home.receipt(session)]);
  const { reply } = await connection.script(surveyScript, [home.cursors, home.sessions, ...own], sessions);
  const found = listOf(reply);
  return sessions.map((session, index) => {
    const [cursor, isNamed, entries, hasReceipt] = listOf(found[index] ?? null);
    const bytes = bytesOf(cursor ?? null);
    return {
      session,
      cursor: bytes === undefined ? undefined : decodeCursor(bytes),
      isNamed: numberOf(isNamed) > 0,
      entries: numberOf(entries),
      hasReceipt: numberOf(hasReceipt) > 0,
    };
  });
}

function isAsItWas({ cursor, isNamed, entries, hasReceipt }: Found): boolean {
  if (cursor === undefined) return !isNamed;
  const isKnown = cursor.presence === 'known';
  return isNamed === isKnown && entries === cursor.entries && hasReceipt === cursor.hasReceipt;
}

function difference({ cursor, isNamed, entries }: Found): string {
  if (cursor === undefined) return 'is unknown here';
  if (entries !== cursor.entries) return `has ${entries} log entries instead of ${cursor.entries}`;
  if (isNamed !== (cursor.presence === 'known')) return isNamed ? 'is there again' : 'is gone';
  return 'is another one than it was left as';
}
