import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId, Writer } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { claimSession } from '../publisher/claim-session.ts';
import { CursorReader } from '../publisher/cursor-reader.ts';
import type { UnnumberedCommand } from '../publisher/input-event.ts';
import { Lane, type Sent } from '../publisher/lane.ts';
import { type Load, Outbox } from '../publisher/outbox.ts';
import { isWithoutRoom, type Sink } from '../publisher/sink.ts';
import { within } from './publish-result.ts';

export interface SessionWritersOptions {
  readonly sink: Sink;
  /** Of the store in which the commands are applied. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
  /** A name that nobody has used before. */
  readonly writer: Writer;
  /** Most sessions that stay claimed here while nothing is sent to them. */
  readonly mostSessions: number;
}

/** How long to wait, in milliseconds, and until when at all. */
export interface Patience {
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** A session that commands are sent to, one request at a time. */
interface OpenSession {
  lane: Lane | undefined;
  /** Resolves after the turn of the latest request. */
  turn: Promise<unknown>;
  /** Requests that have not ended yet. */
  requests: number;
}

interface Turn {
  readonly session: SessionId;
  readonly open: OpenSession;
  /** Resolves when the turn has come. */
  readonly come: Promise<unknown>;
  end(): void;
}

/** Most that is on its way into the queue at a time. */
const limits: Load = { commands: 8_192, bytes: 64 * 1024 * 1024 };

/**
 * Numbers and publishes commands as one writer in many sessions. A session is claimed when it is first written to, and
 * anew after another writer's claim, a halt, or a publish that failed. Requests for one session are taken in the order
 * in which they came, each whole.
 */
export class SessionWriters implements AsyncDisposable {
  readonly #options: SessionWritersOptions;
  readonly #sink: TroubledSink;
  readonly #outbox: Outbox;
  readonly #cursors: CursorReader;
  /** The one that was written to longest ago first. */
  readonly #open = new Map<SessionId, OpenSession>();

  constructor(options: SessionWritersOptions) {
    this.#options = options;
    this.#sink = new TroubledSink(options.sink);
    this.#outbox = new Outbox({ sink: this.#sink, clock: options.clock, limits, refusesWithoutRoom: true });
    this.#cursors = new CursorReader(options.watch, options.clock);
  }

  /** How many sessions are remembered as claimed. */
  get sessions(): number {
    return this.#open.size;
  }

  /**
   * Publishes the commands and resolves, with each under its number, once all are durable. Nothing is sent before every
   * session is claimed: `NOT_YET_APPLIED` when that takes longer than the timeout, `WRITER_FENCED` when others keep
   * claiming one, `QUEUE_FULL` or `DISK_FULL` when there is no room, unless a part may be durable: then room is waited
   * for. While the queue is down, more is refused with what it said.
   */
  async send(commands: readonly UnnumberedCommand[], patience: Patience): Promise<readonly Sent[]> {
    this.#sink.refuseInTrouble();
    const together = { commands: commands.length };
    const turns = [...new Set(commands.map(({ session }) => session))].map((session) => this.#takeTurn(session));
    try {
      let sent: readonly Promise<Sent>[];
      try {
        const lanes = await this.#claimAll(turns, patience);
        sent = commands.map((command) => this.#outbox.put(laneOf(lanes, command), command, patience.signal, together));
      } finally {
        for (const turn of turns) turn.end();
      }
      return await Promise.all(sent);
    } finally {
      for (const { open } of turns) open.requests -= 1;
      this.#forget();
    }
  }

  /** Gives up what waits, and resolves once what is under way is settled. Idempotent. */
  close(): Promise<void> {
    return this.#outbox.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Turns are taken in one go for all sessions of a request, so that no two requests ever wait for each other. */
  #takeTurn(session: SessionId): Turn {
    const open = this.#open.get(session) ?? { lane: undefined, turn: Promise.resolve(), requests: 0 };
    this.#open.delete(session);
    this.#open.set(session, open);
    const { promise: ended, resolve: end } = promiseWithResolver();
    const come = open.turn;
    // A request that is given up while it waits does not let the next one pass those before it.
    open.turn = Promise.all([come, ended]);
    open.requests += 1;
    return { session, open, come, end };
  }

  async #claimAll(turns: readonly Turn[], { timeout, signal }: Patience): Promise<ReadonlyMap<SessionId, Lane>> {
    const lanes = await within(timeout, this.#options.clock, signal, (limit) =>
      Promise.all(
        turns.map(async ({ session, open, come }) => {
          await unlessAborted(come, limit);
          return [session, await this.#reigning(session, open, limit)] as const;
        }),
      ),
    );
    if (lanes !== undefined) return new Map(lanes);
    throw new PersistenceError(
      'NOT_YET_APPLIED',
      `nothing was sent: the service was not seen to be the writer of every session within ${timeout} ms; a worker ` +
        'has to apply its claims first',
    );
  }

  /** The lane of a reign that lasts, as far as the store tells. */
  async #reigning(session: SessionId, open: OpenSession, signal: AbortSignal): Promise<Lane> {
    const { lane } = open;
    if (lane !== undefined && lane.failure === undefined) {
      const cursor = await this.#cursors.read(session, signal);
      if (lane.reignsIn(cursor)) return lane;
      this.#outbox.fail(lane, lane.fenced(cursor));
    }
    open.lane = undefined;
    const claimed = new Lane(session, this.#options.writer);
    // A session that was forgotten here may be met again.
    await claimSession(claimed, { outbox: this.#outbox, cursors: this.#cursors, signal, mayHaveReigned: true });
    open.lane = claimed;
    return claimed;
  }

  /** Forgets sessions that nothing is sent to now; written to again, they are claimed again. */
  #forget(): void {
    if (this.#open.size <= this.#options.mostSessions) return;
    for (const [session, { requests }] of this.#open) {
      if (requests > 0) continue;
      this.#open.delete(session);
      if (this.#open.size <= this.#options.mostSessions) return;
    }
  }
}

/** A sink that remembers what kept it from publishing, until it publishes again. */
class TroubledSink implements Sink {
  readonly #sink: Sink;
  #trouble: PersistenceError | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Throws what has kept it from publishing. Whatever failed is being tried again meanwhile, by whoever sent it. */
  refuseInTrouble(): void {
    if (this.#trouble !== undefined) throw new PersistenceError(this.#trouble.code, this.#trouble.message);
  }

  async publish(...given: Parameters<Sink['publish']>): ReturnType<Sink['publish']> {
    try {
      const positions = await this.#sink.publish(...given);
      this.#trouble = undefined;
      return positions;
    } catch (error) {
      this.#trouble = isDown(error) ? error : undefined;
      throw error;
    }
  }

  whenWritable(signal?: AbortSignal): Promise<void> {
    return this.#sink.whenWritable(signal);
  }
}

/** True for what is tried again meanwhile: not for want of room, which everybody finds out at once. */
function isDown(error: unknown): error is PersistenceError {
  return isPersistenceError(error) && error.retryable && !isWithoutRoom(error);
}

function laneOf(lanes: ReadonlyMap<SessionId, Lane>, { session }: UnnumberedCommand): Lane {
  const lane = lanes.get(session);
  if (lane === undefined) throw new TypeError('every session of a request is claimed before its commands are sent');
  return lane;
}

/** Resolves with `wait`. Rejects with `ABORTED` once `signal` is aborted. */
function unlessAborted(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new PersistenceError('ABORTED', 'the wait for an earlier request was given up'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}

function promiseWithResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}
