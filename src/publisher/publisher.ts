import { setMaxListeners } from 'node:events';
import { PersistenceError } from '../domain/errors.ts';
import type { Epoch, SessionId, Writer } from '../domain/identifiers.ts';
import { checkCommand } from '../domain/wire/content.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { AbortListeners } from './abort-listeners.ts';
import type { AcknowledgingOptions } from './acknowledgement.ts';
import { claimSession } from './claim-session.ts';
import { CursorReader } from './cursor-reader.ts';
import { FenceWatch } from './fence-watch.ts';
import { Lane } from './lane.ts';
import { type Load, Outbox } from './outbox.ts';
import { Outcomes } from './outcomes.ts';
import { SessionWriter } from './session-writer.ts';
import type { Sink } from './sink.ts';

export interface PublisherOptions {
  /** Where commands are sent to; it belongs to the caller. */
  readonly sink: Sink;
  /** Tells where sessions stand, and belongs to the caller. Without one no session can be opened. */
  readonly watch: SessionWatch | undefined;
  readonly clock: Clock;
  /** A writer's name that nobody used before, made anew for every session that is opened. */
  readonly newWriter: () => Writer;
  /** Most that is not acknowledged at a time: what is sent beyond waits. Default: 2,048 commands, 16 MiB. */
  readonly limits?: Load | undefined;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** A fresh name to write under, instead of one that `newWriter` makes. */
  readonly writer?: Writer | undefined;
}

/** What a publisher with a watch has. */
interface Means extends AcknowledgingOptions {
  readonly cursors: CursorReader;
}

const defaultLimits: Load = { commands: 2_048, bytes: 16 * 1024 * 1024 };

/**
 * Writes to sessions as their writer. Commands of all sessions share publishes, in order within each session. A queue
 * that is full, or that does not answer at present, is waited for.
 */
export class Publisher implements AsyncDisposable {
  readonly #newWriter: () => Writer;
  readonly #closing = new AbortController();
  readonly #aborts = new AbortListeners();
  readonly #outbox: Outbox;
  readonly #means: Means | undefined;

  constructor({ sink, watch, clock, newWriter, limits = defaultLimits }: PublisherOptions) {
    if (!(limits.commands >= 1 && limits.bytes >= 1)) throw new TypeError('the limits leave no room for any command');
    this.#newWriter = newWriter;
    const closing = this.#closing.signal;
    setMaxListeners(0, closing);
    this.#outbox = new Outbox({ sink, clock, limits, signal: closing });
    if (watch === undefined) return;
    const cursors = new CursorReader(watch, clock);
    const outcomes = new Outcomes({ watch, clock });
    const fences = new FenceWatch({ outbox: this.#outbox, cursors, clock, signal: closing });
    this.#means = { outbox: this.#outbox, cursors, outcomes, fences, aborts: this.#aborts, closing };
  }

  /**
   * Opens a session under a fresh name: claims it above whoever reigns there, and resolves once the claim is seen
   * applied. Throws `STANDING_UNKNOWN` without a watch, `WRITER_FENCED` when others claimed first 8 times, and
   * `INVALID_WRITER` when the name has reigned in the session before. A claim that was given up (`ABORTED`) may still
   * take effect, and end the reign before it.
   */
  async open(session: SessionId, options: OpenOptions = {}): Promise<SessionWriter> {
    const means = this.#means;
    if (means === undefined) {
      throw new PersistenceError(
        'STANDING_UNKNOWN',
        `session ${JSON.stringify(session)} cannot be opened: without a watch nobody can tell whether its claim was applied and which number is next`,
      );
    }
    const lane = new Lane(session, options.writer ?? this.#newWriter());
    const { refusal } = checkCommand(lane.claim(1 as Epoch));
    if (refusal !== undefined) throw new PersistenceError(refusal.code, refusal.message);
    await this.#aborts.during([this.#closing.signal, options.signal], (signal) =>
      claimSession(lane, { outbox: this.#outbox, cursors: means.cursors, signal }),
    );
    return new SessionWriter(lane, means);
  }

  /**
   * Resolves while less than the limits waits to be durable. Whoever sends without awaiting each acknowledgement
   * awaits this before each send, and so never holds more than that.
   */
  whenWritable(signal?: AbortSignal): Promise<void> {
    return this.#outbox.whenWritable(signal);
  }

  /**
   * Takes back what waits for its turn (`ABORTED`), ends all waits, and resolves once what is under way is settled.
   * Sink and watch stay open. Idempotent.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#outbox.close();
    await this.#means?.fences.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
