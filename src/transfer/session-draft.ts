import { type Cursor, initialCursor } from '../domain/cursor.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, Replacement, SessionChange } from '../domain/plan.ts';
import type { SessionDocuments } from './session-digest.ts';

/** True for the cursor of a session of which a part was copied: no other that is unknown has log entries. */
export function isPart(cursor: Cursor | undefined): cursor is Cursor {
  return cursor?.presence === 'unknown' && cursor.entries > 0;
}

/** What is to go into the target with the next commit of one session, whose log may be larger than one commit. */
export class SessionDraft {
  readonly session: SessionId;
  /** Bytes of all that waits for its commit. */
  bytes = 0;
  /** How many log entries stand in the target already, and with them all parked commands; 0: the session begins anew. */
  readonly standing: number;
  #passed = 0;
  /** True from the start until the first commit where what the target holds of the session is to go. */
  #isAnew: boolean;
  #before: Cursor | undefined;
  #counts: Pick<Cursor, 'entries' | 'parkedCommands' | 'parkedBytes' | 'filed'>;
  #entries: Uint8Array[] = [];
  #parked: ParkedCommand[] = [];
  #unparked: readonly Sequence[];
  #filed: FiledRecord[] = [];

  private constructor(session: SessionId, before: Cursor | undefined, unparked: readonly Sequence[], standing: number) {
    this.session = session;
    this.standing = standing;
    this.#before = before;
    this.#isAnew = before !== undefined && standing === 0;
    this.#unparked = unparked;
    const { parkedCommands, parkedBytes } = (standing > 0 ? before : undefined) ?? initialCursor;
    // Dead letters are never removed: those of an earlier attempt stay.
    this.#counts = { entries: standing, parkedCommands, parkedBytes, filed: before?.filed ?? 0 };
  }

  /** `before` and `unparked`: the cursor and the parked commands that an earlier attempt has left in the target. */
  static anew(session: SessionId, before: Cursor | undefined, unparked: readonly Sequence[]): SessionDraft {
    return new SessionDraft(session, before, unparked, 0);
  }

  /** Goes on behind `part`, the cursor that {@link takePart} has put into the target. */
  static behind(session: SessionId, part: Cursor): SessionDraft {
    return new SessionDraft(session, part, [], part.entries);
  }

  /** True when fewer entries came than stand in the target: they are others. */
  get fallsShort(): boolean {
    return this.#passed < this.standing;
  }

  /** Returns false for one that stands already. */
  addEntry(entry: Uint8Array): boolean {
    if (this.fallsShort) {
      this.#passed += 1;
      return false;
    }
    this.#entries.push(entry);
    this.bytes += entry.length;
    this.#counts = { ...this.#counts, entries: this.#counts.entries + 1 };
    return true;
  }

  addParked(command: ParkedCommand): void {
    if (this.standing > 0) return;
    this.#parked.push(command);
    this.bytes += command.message.length;
    const { parkedCommands, parkedBytes } = this.#counts;
    this.#counts = {
      ...this.#counts,
      parkedCommands: parkedCommands + 1,
      parkedBytes: parkedBytes + command.bytes,
    };
  }

  /** `record`: one that the target does not hold. */
  addFiled(record: FiledRecord): void {
    this.#filed.push(record);
    this.bytes += 'message' in record ? record.message.length : 0;
    this.#counts = { ...this.#counts, filed: this.#counts.filed + 1 };
  }

  /** All that waits, under a cursor that nobody takes for a session's: `unknown`, and of no reign. */
  takePart(): SessionChange {
    const change = this.#change({ ...initialCursor, ...this.#counts }, undefined);
    this.#before = change.after;
    this.#isAnew = false;
    this.#entries = [];
    this.#parked = [];
    this.#unparked = [];
    this.#filed = [];
    this.bytes = 0;
    return change;
  }

  /** All that is left, under the session's own cursor. */
  takeLast(cursor: Cursor, documents: SessionDocuments): SessionChange {
    return this.#change(cursor, documents);
  }

  #change(cursor: Cursor, documents: SessionDocuments | undefined): SessionChange {
    const before = this.#before;
    const isAnew = this.#isAnew;
    const generation = (before?.generation ?? 0) + (isAnew ? 1 : 0);
    const put = (document: Uint8Array | undefined): Replacement | undefined =>
      document ?? (isAnew ? 'remove' : undefined);
    return {
      session: this.session,
      before,
      after: { ...cursor, generation, version: (before?.version ?? 0) + 1 },
      log: isAnew || this.#entries.length > 0 ? { reset: isAnew, entries: this.#entries } : undefined,
      snapshot: put(documents?.snapshot),
      receipt: put(documents?.receipt),
      anchor: put(documents?.anchor),
      parked: this.#parked,
      unparked: this.#unparked,
      filed: this.#filed,
    };
  }
}
