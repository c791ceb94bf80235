import type { Command } from '../domain/command.ts';
import type { Cursor } from '../domain/cursor.ts';
import type { Content } from '../domain/delivery.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledId, FiledRecord } from '../domain/plan.ts';
import { filedId } from '../domain/rule/filed-id.ts';
import { contentOf } from '../domain/wire/content.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { AbortListeners } from './abort-listeners.ts';
import { CursorReader } from './cursor-reader.ts';
import { type CommandOutcome, isContradicted, outcomeOf } from './outcome.ts';
import { patiently } from './patiently.ts';

/** A command whose outcome somebody waits for. */
interface Pending {
  readonly content: Content;
  readonly id: FiledId;
  /** How much was filed under the session when this one was last looked for there. */
  filed: number;
  isContradicted: boolean;
  resolve(outcome: CommandOutcome): void;
  reject(error: unknown): void;
}

/** The waits for one session. `cursor` is the latest one that was seen. */
interface Followed {
  readonly pending: Set<Pending>;
  readonly ending: AbortController;
  cursor: Cursor | undefined;
}

export interface OutcomesOptions {
  readonly watch: SessionWatch;
  readonly clock: Clock;
}

/**
 * Learns what becomes of commands. All who wait for commands of one session share one watch of it, which lasts as long
 * as somebody waits. A watch that does not answer at present is waited for.
 */
export class Outcomes {
  readonly #watch: SessionWatch;
  readonly #clock: Clock;
  readonly #cursors: CursorReader;
  readonly #aborts = new AbortListeners();
  readonly #followed = new Map<SessionId, Followed>();

  constructor({ watch, clock }: OutcomesOptions) {
    this.#watch = watch;
    this.#clock = clock;
    this.#cursors = new CursorReader(watch, clock);
  }

  /**
   * What became of a command that is durable in the queue, as soon as that is certain. Rejects with `ABORTED` once
   * `signal` is aborted: a command that waits for a missing number, or behind a conflict, may never have an outcome.
   */
  of(command: Command, signal?: AbortSignal): Promise<CommandOutcome> {
    const content = contentOf(command);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      const leave = (): void => {
        if (signal !== undefined) this.#aborts.remove(signal, abort);
        this.#leave(command.session, pending);
      };
      const pending: Pending = {
        content,
        id: filedId(content),
        filed: 0,
        isContradicted: false,
        resolve: (outcome) => {
          leave();
          resolve(outcome);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => pending.reject(aborted());
      if (signal !== undefined) this.#aborts.add(signal, abort);
      this.#enter(command.session, pending);
    });
  }

  #enter(session: SessionId, pending: Pending): void {
    const followed = this.#followed.get(session);
    if (followed === undefined) {
      const begun: Followed = { pending: new Set([pending]), ending: new AbortController(), cursor: undefined };
      this.#followed.set(session, begun);
      void this.#follow(session, begun);
      return;
    }
    followed.pending.add(pending);
    // The cursor in hand may tell already; it may also be the last one for a long time.
    if (followed.cursor !== undefined) void this.#look(followed, followed.cursor, [pending]);
  }

  #leave(session: SessionId, pending: Pending): void {
    const followed = this.#followed.get(session);
    if (followed?.pending.delete(pending) !== true || followed.pending.size > 0) return;
    this.#followed.delete(session);
    followed.ending.abort();
  }

  async #follow(session: SessionId, followed: Followed): Promise<void> {
    const { signal } = followed.ending;
    try {
      let cursor = await this.#cursors.read(session, signal);
      while (followed.pending.size > 0) {
        followed.cursor = cursor;
        await this.#look(followed, cursor, [...followed.pending]);
        if (followed.pending.size > 0) cursor = await this.#cursors.next(session, cursor, signal);
      }
    } catch (error) {
      for (const pending of followed.pending) pending.reject(error);
    }
  }

  /** Settles those of which the cursor, or a dead letter, tells what became of them. */
  async #look(followed: Followed, cursor: Cursor, looked: readonly Pending[]): Promise<void> {
    try {
      const suspects = looked.filter(({ filed }) => filed !== cursor.filed);
      const filed = await this.#filedOf(suspects, followed.ending.signal);
      for (const pending of suspects) pending.filed = cursor.filed;
      for (const pending of looked) {
        pending.isContradicted ||= isContradicted(pending.content, cursor);
        const outcome = outcomeOf(pending.content, cursor, filed.get(pending));
        if (outcome === undefined || (outcome.kind === 'applied' && pending.isContradicted)) continue;
        pending.resolve(outcome);
      }
    } catch (error) {
      for (const pending of looked) pending.reject(error);
    }
  }

  /** What is filed of the suspects. */
  async #filedOf(
    suspects: readonly Pending[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Pending, FiledRecord['kind']>> {
    const filed = new Map<Pending, FiledRecord['kind']>();
    if (suspects.length === 0) return filed;
    const keys = suspects.map(({ content, id }) => ({ session: content.session, id }));
    const found = await patiently(() => this.#watch.areFiled(keys), this.#clock, signal);
    for (const [index, pending] of suspects.entries()) {
      if (found[index] === true) filed.set(pending, await this.#kindOf(pending, signal));
    }
    return filed;
  }

  /** What kind of record the one of the command, which is filed, is: only skips are filed as decisions. */
  async #kindOf({ content, id }: Pending, signal: AbortSignal): Promise<FiledRecord['kind']> {
    if (content.kind !== 'skip') return 'dead letter';
    const key = { session: content.session, id };
    const isDecision = await patiently(() => this.#watch.isDecision(key), this.#clock, signal);
    return isDecision ? 'decision' : 'dead letter';
  }
}

/** What became of one command: see {@link Outcomes.of}. */
export function awaitOutcome(
  command: Command,
  options: OutcomesOptions & { readonly signal?: AbortSignal | undefined },
): Promise<CommandOutcome> {
  return new Outcomes(options).of(command, options.signal);
}

function aborted(): PersistenceError {
  return new PersistenceError('ABORTED', 'the wait for the outcome of a command was given up');
}
