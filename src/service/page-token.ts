import { PersistenceError } from '../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../domain/identifiers.ts';
import type { FiledId } from '../domain/plan.ts';
import type { FiledKey } from '../ports/store.ts';
import { isFiledId } from '../read-side/filed-record.ts';

/** The place after a dead letter in the list of all, as an opaque text. */
export function pageToken({ session, id }: FiledKey): string {
  return Buffer.from(`${session ?? ''}\0${id}`, 'utf8').toString('base64url');
}

/** The place that {@link pageToken} wrote. Throws `INVALID_REQUEST` for any other text. */
export function parsePageToken(token: string): FiledKey {
  const [session = '', id = '', ...rest] = Buffer.from(token, 'base64url').toString('utf8').split('\0');
  const key: FiledKey = { session: session === '' ? undefined : (session as SessionId), id: id as FiledId };
  const isSession = session === '' || sessionIdProblem(session) === undefined;
  if (isSession && isFiledId(id) && rest.length === 0 && pageToken(key) === token) return key;
  throw new PersistenceError('INVALID_REQUEST', 'after is not what a page of dead letters gave as its next');
}
