import { PersistenceError } from '../../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../../domain/identifiers.ts';
import type { SessionPlace } from './examine-session.ts';

/**
 * The sessions that have a folder: macp-runtime takes every directory for one, and nothing else. Throws `STORE_CORRUPT`
 * for a directory whose name is no session id.
 */
export async function listFolders({ files, places }: SessionPlace): Promise<ReadonlySet<SessionId>> {
  const folders = new Set<SessionId>();
  for (const { name, kind } of await files.listEntries(places.sessions)) {
    if (kind !== 'directory') continue;
    const text = Buffer.from(name).toString('utf8');
    const isText = Buffer.compare(Buffer.from(text, 'utf8'), name) === 0;
    const problem = isText ? sessionIdProblem(text) : 'it is not UTF-8';
    if (problem !== undefined) {
      throw new PersistenceError(
        'STORE_CORRUPT',
        `${places.sessions} holds a directory ${JSON.stringify(text)}, which is no session: ${problem}`,
      );
    }
    folders.add(text as SessionId);
  }
  return folders;
}
