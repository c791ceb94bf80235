import { isPersistenceError } from '../domain/errors.ts';
import { parseSessionId, type SessionId } from '../domain/identifiers.ts';
import type { Waiting } from '../ports/service.ts';
import type { Request } from './connection.ts';

/** Milliseconds that the service lets a single request wait at most. */
export const longestWait = 60_000;

/** The path of a session, or of one of its documents. Throws `INVALID_SESSION_ID`. */
export function sessionPath(session: SessionId, document?: string): string {
  const path = `v1/sessions/${segmentOf(session)}`;
  return document === undefined ? path : `${path}/${document}`;
}

/** The path of an operator's action on a session. Throws `INVALID_SESSION_ID`. */
export function actionPath(session: SessionId, action: string): string {
  return `v1/admin/sessions/${segmentOf(session)}/${action}`;
}

// Checked whoever called: escaped or not, `..` in a path leads elsewhere.
function segmentOf(session: SessionId): string {
  return encodeURIComponent(parseSessionId(session));
}

/**
 * Does `read` with what to ask for so that it waits as `waiting` says. A longer wait than a single request may take is
 * made of several. Throws `NOT_YET_APPLIED` when time is up.
 */
export async function waited<Result>(
  waiting: Waiting | undefined,
  read: (query: NonNullable<Request['query']>) => Promise<Result>,
): Promise<Result> {
  if (waiting === undefined) return await read({});
  let left = waiting.timeout;
  for (; left > longestWait; left -= longestWait) {
    try {
      return await read(waitingQuery(waiting, longestWait));
    } catch (error) {
      if (!isPersistenceError(error, 'NOT_YET_APPLIED')) throw error;
    }
  }
  return await read(waitingQuery(waiting, left));
}

function waitingQuery({ sequence, claim, version }: Waiting, timeout: number): NonNullable<Request['query']> {
  return {
    min_sequence: sequence,
    claim_epoch: claim?.epoch,
    claim_writer: claim?.writer,
    after_version: version,
    timeout_ms: timeout,
  };
}
