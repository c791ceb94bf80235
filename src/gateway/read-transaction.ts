import type { RedisRequest } from '../ports/redis-peer.ts';
import type { DocumentKind, Keys } from './keys.ts';
import { type DeletionPart, type Refused, refused, type Write } from './operations.ts';
import { readRequest } from './read-request.ts';

const notTaken = refused(
  'of transactions the gateway takes MULTI, DEL of a log, RPUSH of the same, EXEC, which replaces the log, and MULTI, ' +
    'DEL of a snapshot and a log at least, SREM, EXEC, which deletes the session: nothing was changed',
);

/** The one write that stands between MULTI and EXEC: the replacement of a log, or the deletion of a session. */
export function readTransaction(requests: readonly RedisRequest[], keys: Keys): Write | Refused {
  const parts: DeletionPart[] = [];
  const pushes: (readonly Uint8Array[])[] = [];
  for (const request of requests) {
    if (request.command === 'RPUSH') {
      const [key, ...entries] = request.arguments;
      const log = key === undefined ? undefined : keys.read(key);
      const [deleted] = parts;
      if (log?.kind !== 'log' || log.session !== deleted?.session || entries.length === 0) return notTaken;
      pushes.push(entries);
      continue;
    }
    const part = readRequest(request, keys);
    if (part.kind === 'refused') return part;
    if ((part.kind !== 'DEL' && part.kind !== 'SREM') || pushes.length > 0) return notTaken;
    parts.push(part);
  }
  return deletionOf(parts, pushes) ?? replacementOf(parts, pushes) ?? notTaken;
}

function replacementOf(parts: readonly DeletionPart[], pushes: readonly (readonly Uint8Array[])[]): Write | undefined {
  const [deleted, ...more] = parts;
  if (deleted?.kind !== 'DEL' || more.length > 0) return undefined;
  const { documents, session } = deleted;
  return documents.length === 1 && documents[0] === 'log' ? { kind: 'replace', session, pushes } : undefined;
}

/** The deletion that the parts are, in order; undefined unless they are the whole of one session's. */
export function deletionOf(
  parts: readonly DeletionPart[],
  pushes: readonly (readonly Uint8Array[])[] = [],
): Write | undefined {
  const last = parts.at(-1);
  const deletions: (readonly DocumentKind[])[] = [];
  for (const part of parts.slice(0, -1)) {
    if (part.kind !== 'DEL' || part.session !== last?.session) return undefined;
    deletions.push(part.documents);
  }
  const named = deletions.flat();
  if (last?.kind !== 'SREM' || pushes.length > 0) return undefined;
  if (!named.includes('session') || !named.includes('log')) return undefined;
  return { kind: 'delete', session: last.session, deletions };
}
