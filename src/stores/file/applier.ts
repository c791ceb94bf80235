import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { applyEffects, grow, type Workplace } from './apply-effects.ts';
import { Dirty } from './dirty.ts';
import type { FileEffect } from './effects.ts';

/** Bytes of commits that files may be behind the journal, one of a worker's largest among them: the next waits then. */
const mostBehind = 12 * 1024 * 1024;

/** A commit that is in the journal. */
export interface JournaledCommit {
  readonly effects: readonly FileEffect[];
  readonly bytes: number;
  /** Settles once the records are those after the commit. */
  readonly recorded: Promise<void>;
}

/**
 * Does to the files, beside further commits and in their order, what the journal holds already. Commits that wait and
 * only append are done in one round, with one write a log. A session is behind from the moment its commit is added
 * until its files and records are those after it.
 */
export class Applier {
  readonly #workplace: Workplace;
  readonly #onFailure: (error: unknown) => void;
  #waiting: JournaledCommit[] = [];
  /** How many commits each session is behind. */
  readonly #behind = new Map<SessionId, number>();
  #bytes = 0;
  #added = 0;
  #done = 0;
  /** The round under way; it never rejects. */
  #round: Promise<void> | undefined;
  /** How many wait for a moment at which something is not behind. */
  #looking = 0;
  #dirty = new Dirty();
  #failure: { readonly error: unknown } | undefined;

  /** `onFailure` is told once, with what a file or record could not be written for: nothing is done after that. */
  constructor(workplace: Workplace, onFailure: (error: unknown) => void) {
    this.#workplace = workplace;
    this.#onFailure = onFailure;
  }

  /** True once something could not be done. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves once a commit may be added: never far ahead of the files, nor of those who look at them. Rejects with the failure. */
  async room(): Promise<void> {
    while (this.#round !== undefined && (this.#looking > 0 || this.#bytes > mostBehind)) await this.#round;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Begins at once, or after what was added before. */
  add(commit: JournaledCommit): void {
    this.#waiting.push(commit);
    this.#added += 1;
    this.#bytes += commit.bytes;
    for (const session of sessionsOf(commit)) this.#behind.set(session, (this.#behind.get(session) ?? 0) + 1);
    this.#round ??= this.#next();
  }

  /**
   * Calls `look` at a moment at which the session, or without one every session, is not behind. Rejects with
   * `STORE_UNAVAILABLE` where it stays behind.
   */
  async look<Value>(session: SessionId | undefined, look: () => Value): Promise<Value> {
    this.#looking += 1;
    try {
      while (this.#isBehind(session)) {
        if (this.#round === undefined) throw halfWritten();
        await this.#round;
      }
      return look();
    } finally {
      this.#looking -= 1;
    }
  }

  /** What was written since this was last asked, once all that was added until now is. Rejects with the failure. */
  async takeDirty(): Promise<Dirty> {
    const added = this.#added;
    while (this.#round !== undefined && this.#done < added) await this.#round;
    if (this.#failure !== undefined) throw this.#failure.error;
    const dirty = this.#dirty;
    this.#dirty = new Dirty();
    return dirty;
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    while (this.#round !== undefined) await this.#round;
  }

  async #next(): Promise<void> {
    const commits = this.#take();
    try {
      const effects = commits.flatMap((commit) => commit.effects);
      const files = applyEffects(this.#workplace, effects);
      for (const outcome of await Promise.allSettled([files, ...commits.map(({ recorded }) => recorded)])) {
        if (outcome.status === 'rejected') throw outcome.reason;
      }
      this.#dirty.note(effects);
      this.#caughtUp(commits);
    } catch (error) {
      this.#failure = { error };
      this.#onFailure(error);
    }
    this.#round = this.#waiting.length > 0 && !this.failed ? this.#next() : undefined;
  }

  /** All that wait as far as they only append, or else the first. */
  #take(): readonly JournaledCommit[] {
    const other = this.#waiting.findIndex(({ effects }) => !grow(effects));
    return this.#waiting.splice(0, other < 0 ? this.#waiting.length : Math.max(other, 1));
  }

  #caughtUp(commits: readonly JournaledCommit[]): void {
    this.#done += commits.length;
    for (const commit of commits) {
      this.#bytes -= commit.bytes;
      for (const session of sessionsOf(commit)) {
        const behind = (this.#behind.get(session) ?? 0) - 1;
        if (behind > 0) this.#behind.set(session, behind);
        else this.#behind.delete(session);
      }
    }
  }

  #isBehind(session: SessionId | undefined): boolean {
    return session === undefined ? this.#done < this.#added : this.#behind.has(session);
  }
}

function sessionsOf({ effects }: JournaledCommit): ReadonlySet<SessionId> {
  return new Set(effects.map(({ session }) => session));
}

function halfWritten(): PersistenceError {
  const problem = 'the files of some sessions are half written: that is finished when the store is opened anew';
  return new PersistenceError('STORE_UNAVAILABLE', problem);
}
