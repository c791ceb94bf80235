import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Epoch } from '../domain/identifiers.ts';
import type { CursorReader } from './cursor-reader.ts';
import type { Lane } from './lane.ts';
import type { Outbox } from './outbox.ts';

export interface ClaimingOptions {
  readonly outbox: Outbox;
  readonly cursors: CursorReader;
  readonly signal: AbortSignal;
  /** True when this very program may have claimed the session before under the same name. */
  readonly mayHaveReigned?: boolean | undefined;
}

const mostClaims = 8;

/**
 * Claims the lane's session with the epoch above its present one, and resolves once the lane's writer is seen to reign,
 * with the cursor that shows it.
 * Another claim may stand before ours: then its epoch counts, and the next attempt goes above it. Throws
 * `WRITER_FENCED` after 8 attempts, and `INVALID_WRITER` when the name has reigned in the session before: an answer
 * that was lost must not lead to everything being sent once more.
 */
export async function claimSession(lane: Lane, options: ClaimingOptions): Promise<Cursor> {
  const { outbox, cursors, signal } = options;
  let cursor = await cursors.read(lane.session, signal);
  if (options.mayHaveReigned !== true) refuseUsedName(lane, cursor);
  for (let attempt = 0; attempt < mostClaims; attempt += 1) {
    const epoch = (cursor.epoch + 1) as Epoch;
    await outbox.put(lane, lane.claim(epoch), signal);
    while (cursor.epoch < epoch) cursor = await cursors.next(lane.session, cursor, signal);
    if (!lane.reignsIn(cursor, epoch)) continue;
    lane.begin(cursor);
    return cursor;
  }
  throw lane.fenced(cursor);
}

function refuseUsedName({ session, writer: name }: Lane, { writer, earlier }: Cursor): void {
  if (writer !== name && !earlier.some((reign) => reign.writer === name)) return;
  throw new PersistenceError(
    'INVALID_WRITER',
    `${name} has written to session ${JSON.stringify(session)} before: a writer's name is used by one run only. If that run's ` +
      'answer was lost, look at what it left with `sessions show`; to add these events again, choose a fresh name',
  );
}
