import { type Cursor, earlierReign, initialCursor } from '../domain/cursor.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { describeObstacle, obstacleOf } from '../domain/standing.ts';
import type { Clock } from '../ports/clock.ts';
import type { Waiting } from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';

/** By what a read waits. */
export interface WaitingMeans {
  readonly watch: SessionWatch;
  readonly clock: Clock;
}

/**
 * The session's cursor once everything that `waiting` names holds. Throws `NOT_YET_APPLIED` when it does not in time,
 * `WRITER_FENCED` as soon as the claim cannot be applied any more, `ABORTED` once `signal` is aborted.
 */
export async function untilReached(
  session: SessionId,
  waiting: Waiting,
  { watch, clock }: WaitingMeans,
  signal?: AbortSignal,
): Promise<Cursor> {
  if (signal?.aborted) throw new PersistenceError('ABORTED', 'the read was given up');
  let [cursor = initialCursor] = await watch.cursors([session]);
  if (isReached(session, cursor, waiting)) return cursor;
  using deadline = new Deadline(clock, waiting.timeout, signal);
  try {
    do cursor = await watch.changed(session, cursor.version, deadline.signal);
    while (!isReached(session, cursor, waiting));
    return cursor;
  } catch (error) {
    if (deadline.hasPassed && isPersistenceError(error, 'ABORTED')) throw notYetApplied(session, cursor, waiting);
    throw error;
  }
}

/** Aborts its signal after `timeout` milliseconds or with `outer`; leaves no timer and no listener once disposed of. */
export class Deadline implements Disposable {
  readonly #ending = new AbortController();
  readonly #outer: AbortSignal | undefined;
  /** With a reason that is no error: each would cost its trace. */
  readonly #end = (): void => this.#ending.abort('the wait is over');
  hasPassed = false;

  constructor(clock: Clock, timeout: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#end, { once: true });
    // What was aborted before tells nobody any more.
    if (outer?.aborted) this.#end();
    clock.sleep(timeout, this.#ending.signal).then(
      () => {
        this.hasPassed = true;
        this.#end();
      },
      // The wait ended before its time.
      () => undefined,
    );
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  [Symbol.dispose](): void {
    this.#outer?.removeEventListener('abort', this.#end);
    this.#end();
  }
}

function isReached(session: SessionId, cursor: Cursor, { sequence, claim, version }: Waiting): boolean {
  if (claim !== undefined && !isClaimed(session, cursor, claim)) return false;
  return (sequence === undefined || cursor.last >= sequence) && (version === undefined || cursor.version > version);
}

/** True once the claim is of the present or an earlier reign. */
function isClaimed(session: SessionId, cursor: Cursor, { epoch, writer }: NonNullable<Waiting['claim']>): boolean {
  if (cursor.epoch === epoch && cursor.writer === writer) return true;
  if (cursor.epoch < epoch) return false;
  if (earlierReign(cursor, epoch, writer) !== undefined) return true;
  throw new PersistenceError(
    'WRITER_FENCED',
    `the claim of ${writer} with epoch ${epoch} on session ${JSON.stringify(session)} is not applied and never will ` +
      `be: ${cursor.writer ?? 'nobody'} reigns there with epoch ${cursor.epoch}. Claim it again with a higher epoch`,
  );
}

function notYetApplied(session: SessionId, cursor: Cursor, waiting: Waiting): PersistenceError {
  const { sequence, claim, version, timeout } = waiting;
  const wanted = [
    ...(sequence === undefined ? [] : [`number ${sequence}`]),
    ...(claim === undefined ? [] : [`the claim of ${claim.writer} with epoch ${claim.epoch}`]),
    ...(version === undefined ? [] : [`a version above ${version}`]),
  ];
  const obstacle = obstacleOf(cursor);
  const blocked = obstacle === undefined ? 'is not blocked' : `is blocked: ${describeObstacle(obstacle)}`;
  return new PersistenceError(
    'NOT_YET_APPLIED',
    `session ${JSON.stringify(session)} did not come to ${wanted.join(' and ')} within ${timeout} ms: it stands at ` +
      `number ${cursor.last} of epoch ${cursor.epoch} (version ${cursor.version}) and ${blocked}`,
  );
}
