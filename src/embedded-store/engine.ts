import type { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { Plan } from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';
import type { BackupSize, SessionView, StoreIdentity } from '../ports/store.ts';
import type { Turns } from '../turns/turns.ts';
import type { Records } from './records.ts';
import type { StoredCursors } from './stored-cursors.ts';

/** Runs a read, and says what its failure means. */
export type Guard = <Value>(read: () => Promise<Value>) => Promise<Value>;

/** What an opening is given by its store. */
export interface Opening {
  /** Whatever writes beside commits takes turns with them: after a failed write nothing may follow. */
  readonly turns: Turns;
  /** To be told, within its turn, what stopped something that goes on beside commits. */
  readonly failed: (error: unknown) => void;
}

/** Something open that holds a store's content. What it throws is passed on as it is. */
export interface OpenedEngine {
  readonly identity: StoreIdentity;
  /** As they were stored when it was opened. */
  readonly totals: StoreTotals;
  readonly records: Records;
  /**
   * Makes ready to write the plan, and the totals where they changed. Throws a TypeError, and forgets all of it, when
   * something in them cannot be written. The returned function writes it as one atomic step and resolves once that is
   * durable; it is called before anything else is prepared.
   */
  prepare(plan: Plan, totals: StoreTotals | undefined): () => Promise<void>;
  /** The session as of now, or undefined when it does not exist. */
  openView(session: SessionId, cursors: StoredCursors, guard: Guard): Promise<SessionView | undefined>;
  /**
   * Copies all content, identity included, as of one moment into the directory `draft`, which is not there yet; files
   * and names in it survive a power cut then. Whatever it reads here goes through `guard`.
   */
  copyTo(draft: string, guard: Guard): Promise<BackupSize>;
  /** Begins what goes on beside commits. */
  start(): void;
  /** Resolves once nothing is left to do beside commits, or it was given up. */
  idle(): Promise<void>;
  /** Releases everything. Called within a turn. */
  close(): Promise<void>;
}

/** Opens, and opens anew, what holds a store's content. */
export interface Engine<Opened extends OpenedEngine = OpenedEngine> {
  /** What it is and where it lies, for messages: "the level store in DIRECTORY". */
  readonly name: string;
  /** Those that are its own: no backup lies within one. */
  readonly directories: readonly string[];
  /** Rejects with whatever failed, and leaves nothing open then. */
  open(opening: Opening): Promise<Opened>;
  /** Rejects with what the operating system says when there is no room for more. */
  probeRoom(): Promise<void>;
  /** What a failure means, as one of this project's errors; of a backup in `directory`, where that is given. */
  classify(error: unknown, doing: string, directory?: string): PersistenceError;
}
