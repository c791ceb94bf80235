import { PersistenceError } from '../../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../../domain/identifiers.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { bytesOf, listOf } from '../../redis/replies.ts';
import type { Bucket } from './keys.ts';
import { logPageScript } from './read-scripts.ts';

/** Entries of unknown size are taken for this large while they are looked through: a few at a time. */
const supposedBytes = 1024 * 1024;

/** At most `most` entries, from `ordinal` on, of a log of which this project knows nothing yet. */
export async function readUpstreamEntries(
  connection: RedisConnection,
  bucket: Bucket,
  session: SessionId,
  ordinal: number,
  most: number,
): Promise<readonly Uint8Array[]> {
  const keys = [bucket.generations, bucket.log(session), bucket.replacedLog(session, 0), bucket.largest];
  const args = [session, ...[0, ordinal, most, supposedBytes].map(String)];
  const { reply } = await connection.script(logPageScript, keys, args);
  return reply === null ? [] : listOf(reply).map((entry) => bytesOf(entry) ?? new Uint8Array());
}

/** A member of upstream's set. Upstream has stored names that are none; they are not left out without a word. */
export function sessionOfMember(member: Parameters<typeof bytesOf>[0], where: string): SessionId {
  const bytes = bytesOf(member) ?? new Uint8Array();
  const text = Buffer.from(bytes).toString('utf8');
  const problem = Buffer.compare(Buffer.from(text), bytes) === 0 ? sessionIdProblem(text) : 'it is not UTF-8';
  if (problem === undefined) return text as SessionId;
  throw new PersistenceError(
    'STORE_CORRUPT',
    `${where} holds a session ${JSON.stringify(text)} that cannot be adopted: ${problem}`,
  );
}
