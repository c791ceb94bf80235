import { setMaxListeners } from 'node:events';
import { type PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { SessionId, Writer } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import { CursorReader } from '../publisher/cursor-reader.ts';
import { FenceWatch } from '../publisher/fence-watch.ts';
import { type Load, Outbox } from '../publisher/outbox.ts';
import { Outcomes } from '../publisher/outcomes.ts';
import { isWithoutRoom, type Sink } from '../publisher/sink.ts';
import type { Attempt } from './attempt.ts';
import { commandOfWrite } from './command-of-write.ts';
import type { ListedSessions } from './listed-sessions.ts';
import { refused, type Write } from './operations.ts';
import type { WriteOutcome } from './write-outcome.ts';
import { type SessionMeans, WrittenSession } from './written-session.ts';

export interface ReignOptions {
  /** A name that nobody has used before. */
  readonly writer: Writer;
  readonly sink: Sink;
  readonly store: Store;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly listed: ListedSessions;
  /** True where nothing durable can be fenced: a write counts once it is durable, else once it is applied. */
  readonly isFencing: boolean;
  /** About how many sessions are remembered while nothing of them is under way. */
  readonly rememberedSessions: number;
}

/** Most that is published at a time. */
const limits: Load = { commands: 8_192, bytes: 64 * 1024 * 1024 };

/** Asked for one by one, sessions would come faster than they are forgotten. */
const forgottenTogether = 1_000;

/** Few enough to be applied well before a client gives up on the first of them. */
const claimedTogether = 64;

/**
 * What one connection writes, under one name: from the first answer until it ends, whoever ends it. After that nothing
 * more is sent, and {@link settle} resolves once what was under way is durable, or never will be.
 */
export class Reign {
  readonly #means: SessionMeans;
  readonly #listed: ListedSessions;
  /** The one that was asked for longest ago first. */
  readonly #sessions = new Map<SessionId, WrittenSession>();
  readonly #rememberedSessions: number;
  #isForgetting = false;
  readonly #ending = new AbortController();
  /** Why publishing has failed for good. */
  #failure: PersistenceError | undefined;

  constructor({ writer, sink, store, watch, clock, listed, isFencing, rememberedSessions }: ReignOptions) {
    this.#listed = listed;
    this.#rememberedSessions = rememberedSessions;
    const over = this.#ending.signal;
    setMaxListeners(0, over);
    const outbox = new Outbox({ sink: this.#noting(sink), clock, limits, refusesWithoutRoom: true });
    const cursors = new CursorReader(watch, clock);
    this.#means = {
      writer,
      store,
      outbox,
      cursors,
      fences: new FenceWatch({ outbox, cursors, clock, signal: over }),
      outcomes: isFencing ? undefined : new Outcomes({ watch, clock }),
      over,
      outcomeOf: (error) => this.#outcomeOf(error),
    };
  }

  get writer(): Writer {
    return this.#means.writer;
  }

  /** Aborted when it is over. */
  get over(): AbortSignal {
    return this.#ending.signal;
  }

  get failure(): PersistenceError | undefined {
    return this.#failure;
  }

  /** Writes in the order of the calls. What is refused was not sent. */
  async write(write: Write, attempt: Attempt): Promise<WriteOutcome> {
    const command = commandOfWrite(write);
    if ('kind' in command) return command;
    this.#listed.changed();
    return await this.#session(write.session).write(write, command, attempt);
  }

  /** All sessions that exist. */
  sessions(): Promise<readonly SessionId[]> {
    return this.#listed.get();
  }

  /**
   * Claims what is likely to be written soon, many sessions together: one by one, each would take its own time. Those
   * that fail are claimed when they are written.
   */
  async claimAhead(sessions: readonly SessionId[]): Promise<void> {
    for (let start = 0; start < sessions.length && !this.over.aborted; start += claimedTogether) {
      const next = sessions.slice(start, start + claimedTogether);
      await Promise.all(next.map((session) => this.#session(session).prepare()));
    }
  }

  /** Resolves once what was written to the session before can be read. */
  async reached(session: SessionId, signal: AbortSignal): Promise<void> {
    await this.#sessions.get(session)?.reached(signal);
  }

  /** Resolves once everything that was written before can be read. */
  async allReached(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.reached(signal)));
  }

  /** Nothing more is sent in it. Idempotent. */
  end(): void {
    this.#ending.abort('the reign is over');
  }

  /** Resolves once what was sent before its end is known to be durable or not; a queue that is down is waited for. */
  async settle(): Promise<void> {
    this.end();
    await this.#means.outbox.whenIdle();
  }

  /** Gives up what is under way, whatever becomes of it. Idempotent. */
  async close(): Promise<void> {
    this.end();
    await this.#means.outbox.close();
    await this.#means.fences.settled();
  }

  #session(session: SessionId): WrittenSession {
    const known = this.#sessions.get(session);
    const written = known ?? new WrittenSession(session, this.#means);
    // Last again.
    if (known !== undefined) this.#sessions.delete(session);
    this.#sessions.set(session, written);
    if (known === undefined && !this.#isForgetting) void this.#forget();
    return written;
  }

  /**
   * A reign may last for months: what was not asked for of late is forgotten once nothing is under way in it, and
   * learned anew from the store where it is written to again.
   */
  async #forget(): Promise<void> {
    this.#isForgetting = true;
    try {
      const oldestFirst = this.#sessions.entries();
      for (let some = this.#surplus(oldestFirst); some.length > 0; some = this.#surplus(oldestFirst)) {
        await Promise.all(some.map(([, written]) => written.reached(this.over)));
        for (const [session, written] of some) if (written.forget()) this.#sessions.delete(session);
      }
    } catch {
      // The reign is over, or the store does not answer: the next new session tries again.
    } finally {
      this.#isForgetting = false;
    }
  }

  /** The next of those that are too many, so many as are looked at together. */
  #surplus(sessions: Iterator<[SessionId, WrittenSession]>): readonly [SessionId, WrittenSession][] {
    const some: [SessionId, WrittenSession][] = [];
    const most = Math.min(forgottenTogether, this.#sessions.size - this.#rememberedSessions);
    while (some.length < most) {
      const next = sessions.next();
      if (next.done === true) break;
      some.push(next.value);
    }
    return some;
  }

  /** The sink, with what it fails of for good noted: it ends the reign. */
  #noting(sink: Sink): Sink {
    return {
      publish: (...given) => this.#noteFailure(sink.publish(...given)),
      whenWritable: (signal) => this.#noteFailure(sink.whenWritable(signal)),
    };
  }

  async #noteFailure<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      const failure = toPersistenceError(error);
      if (!failure.retryable) {
        this.#failure ??= failure;
        this.end();
      }
      throw failure;
    }
  }

  /** What had no room, or came after its session was fenced, was not sent; of what failed otherwise nobody knows. */
  #outcomeOf(error: PersistenceError): WriteOutcome {
    const isFencedHere = this.#failure === undefined && error.code === 'WRITER_FENCED';
    const { code, message } = error;
    if (isFencedHere || isWithoutRoom(error)) return refused(`${code}: nothing was written: ${message}`);
    return { kind: 'open', because: message };
  }
}
