import type { Cursor } from '../../domain/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SessionChange } from '../../domain/plan.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { listOf, numberOf, textOf } from '../../redis/replies.ts';
import { AdoptedSession } from '../adopted-session.ts';
import { commitScript } from './commit-script.ts';
import { encodeCommit } from './encode-commit.ts';
import { type Bucket, type KeySpace, largeBytes } from './keys.ts';
import { RedisReader } from './redis-reader.ts';
import { readUpstreamEntries, sessionOfMember } from './upstream-sessions.ts';

/** Sessions that are given their cursors together. */
const sessionsAtOnce = 100;

/** A session, and the cursor that it is given. */
export interface Adopted {
  readonly session: SessionId;
  readonly before: Cursor | undefined;
  readonly after: Cursor;
  /** Bytes of the largest entry. */
  readonly largest: number;
}

/**
 * Gives every session that upstream's set names a cursor, unless it has one: epoch 0, no writer, nothing numbered yet;
 * its log, receipt and anchor as they are. Done again after an interruption, or by several at once, it changes nothing
 * that is done. Throws `STORE_CORRUPT` for what upstream cannot have written, or while somebody else writes to it.
 */
export async function adoptSessions(connection: RedisConnection, keys: KeySpace, identity: string): Promise<void> {
  const reader = new RedisReader(connection, keys);
  for await (const sessions of upstreamSessions(connection, keys)) {
    await adoptPage(connection, keys, identity, reader, sessions);
  }
}

/** What upstream's set names, a page at a time; a session may come twice. */
export async function* upstreamSessions(
  connection: RedisConnection,
  keys: KeySpace,
): AsyncGenerator<readonly SessionId[]> {
  let place = '0';
  do {
    const [next, members] = listOf(
      await connection.command('SSCAN', keys.home.sessions, place, 'COUNT', String(sessionsAtOnce)),
    );
    place = textOf(next) ?? '0';
    yield [...new Set(listOf(members ?? []).map((member) => sessionOfMember(member, connection.where)))];
  } while (place !== '0');
}

async function adoptPage(
  connection: RedisConnection,
  keys: KeySpace,
  identity: string,
  reader: RedisReader,
  sessions: readonly SessionId[],
): Promise<void> {
  // Another process may be adopting the same sessions: what it has done meanwhile is left out the next time.
  for (;;) {
    const cursors = await reader.cursors(sessions);
    const left = sessions.filter((_, index) => cursors[index] === undefined);
    if (left.length === 0) return;
    const adopted: Adopted[] = [];
    for (const session of left) {
      const { cursor, largest } = await examine(connection, keys.home, session);
      adopted.push({ session, before: undefined, after: cursor, largest });
    }
    await give(connection, keys, identity, adopted);
  }
}

/** Gives the sessions these cursors, unless somebody else has changed theirs: then those of all stay as they are. */
export async function give(
  connection: RedisConnection,
  keys: KeySpace,
  identity: string,
  adopted: readonly Adopted[],
): Promise<void> {
  const bucket = keys.home;
  const changes = adopted.map(adoption);
  const part = { bucket, changes, unreadable: [], positions: [] };
  const input = encodeCommit(part, { keys, identity, viewLifetimeMs: 0 });
  for (const { session, after, largest } of adopted) {
    input.log(input.newKey(bucket.log(session), '-'), after.entries, []);
    if (largest <= largeBytes) continue;
    input.steps('ZADD', input.key(bucket.largest, 'z'), ['GT', String(largest), session], 3);
  }
  input.finish();
  const { reply } = await connection.script(commitScript, input.keys, input.args);
  const outcome = textOf(listOf(reply)[0]);
  if (outcome === undefined || !['applied', 'already', 'cursor', 'identity'].includes(outcome)) {
    const problem = `sessions under ${bucket.sessions} cannot be adopted (${outcome}): is somebody else writing to them?`;
    throw new PersistenceError('STORE_CORRUPT', `${connection.where}: ${problem}`);
  }
}

/** The cursor that a session would be adopted with, from all that lies there of it. */
export async function examine(
  connection: RedisConnection,
  bucket: Bucket,
  session: SessionId,
): Promise<{ readonly cursor: Cursor; readonly largest: number }> {
  const [length, receipt, anchor] = await Promise.all([
    connection.command('LLEN', bucket.log(session)),
    connection.command('EXISTS', bucket.receipt(session)),
    connection.command('EXISTS', bucket.anchor(session)),
  ]);
  const entries = numberOf(length);
  const adopted = new AdoptedSession(session);
  while (adopted.entries < entries) {
    const page = await readUpstreamEntries(connection, bucket, session, adopted.entries, entries - adopted.entries);
    if (page.length === 0) break;
    for (const entry of page) adopted.add(entry);
  }
  const cursor = adopted.cursor({ hasReceipt: numberOf(receipt) > 0, hasAnchor: numberOf(anchor) > 0 });
  return { cursor: { ...cursor, entries }, largest: adopted.largestEntry };
}

function adoption({ session, before, after }: Adopted): SessionChange {
  const nothing = { log: undefined, snapshot: undefined, receipt: undefined, anchor: undefined };
  return { session, before, after, ...nothing, parked: [], unparked: [], filed: [] };
}
