import { type Cursor, initialCursor } from '../domain/cursor.ts';
import type { Position } from '../domain/delivery.ts';
import { bytesDigest, type Digest } from '../domain/digest.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../domain/identifiers.ts';
import type {
  DeadLetter,
  Decision,
  FiledId,
  FiledRecord,
  ParkedCommand,
  Plan,
  PositionStep,
  Replacement,
  SessionChange,
  SourceId,
  StoredPosition,
} from '../domain/plan.ts';

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type Draft = Mutable<Omit<SessionChange, 'after'>> & { after: Mutable<Cursor> };

const somewhere: Position = { partition: 0, offset: 0 };
const someWriter = 'urn:conformance:writer' as Writer;

/** A digest that differs whenever `name` does. */
function someDigest(name: string): Digest {
  return bytesDigest(Buffer.from(name, 'utf8'));
}

/** The position before offset `next`, after a record that `name` tells apart. */
export function somePosition(next: number, name = 'record'): StoredPosition {
  return { next, digest: someDigest(`${name} ${next}`) };
}

/** A parked command of `sequence` with a message of its own; with a `refusal`, one that is not valid. */
export function someParked(
  sequence: number,
  message: Uint8Array = Buffer.from(`message ${sequence}`),
  refusal?: ErrorCode,
): ParkedCommand {
  return {
    sequence: sequence as Sequence,
    epoch: 1 as Epoch,
    writer: someWriter,
    digest: someDigest(`parked ${sequence}`),
    bytes: message.length,
    refusal,
    position: { partition: 3, offset: sequence },
    message,
  };
}

/** A dead letter filed under `session`, or under none. */
export function someDeadLetter(name: string, session: SessionId | undefined, message = Buffer.from(name)): DeadLetter {
  return {
    kind: 'dead letter',
    id: filedId(name),
    reason: 'refused',
    detail: `dead letter ${name}`,
    refusal: { code: 'INVALID_DATA', message: 'it is not JSON' },
    session,
    epoch: session === undefined ? undefined : (7 as Epoch),
    writer: session === undefined ? undefined : someWriter,
    sequence: session === undefined ? undefined : (9 as Sequence),
    position: somewhere,
    message,
  };
}

/** An operator's decision on `session`. */
export function someDecision(name: string, session: SessionId): Decision {
  const epoch = 1 as Epoch;
  const sequence = 2 as Sequence;
  return {
    kind: 'decision',
    id: filedId(name),
    session,
    epoch,
    sequence,
    by: 'ada',
    reason: name,
    position: somewhere,
  };
}

function filedId(name: string): FiledId {
  return Buffer.from(someDigest(name), 'latin1').toString('hex', 0, 16) as FiledId;
}

/**
 * Makes plans as deciding would, without deciding anything: it follows the cursors and positions of the plans it has
 * built, so that each starts where the one before ended. Every step of a session counts one version.
 */
export class PlanBuilder {
  readonly #cursors = new Map<SessionId, Cursor>();
  readonly #positions = new Map<string, StoredPosition>();
  #drafts = new Map<SessionId, Draft>();
  #unreadable: DeadLetter[] = [];
  #steps: PositionStep[] = [];

  create(session: SessionId): this {
    return this.#step(session, ({ after }) => {
      after.presence = 'known';
    });
  }

  append(session: SessionId, ...entries: readonly Uint8Array[]): this {
    return this.#step(session, (draft) => {
      draft.after.presence = 'known';
      draft.after.entries += entries.length;
      draft.log = { reset: draft.log?.reset ?? false, entries: [...(draft.log?.entries ?? []), ...entries] };
    });
  }

  replace(session: SessionId, ...entries: readonly Uint8Array[]): this {
    return this.#step(session, (draft) => {
      draft.after.presence = 'known';
      restartLog(draft, entries);
    });
  }

  save(session: SessionId, snapshot: Uint8Array): this {
    return this.#step(session, (draft) => {
      draft.after.presence = 'known';
      draft.snapshot = snapshot;
    });
  }

  receipt(session: SessionId, receipt: Replacement): this {
    return this.#step(session, (draft) => {
      draft.receipt = receipt;
      draft.after.hasReceipt = receipt !== 'remove';
    });
  }

  anchor(session: SessionId, anchor: Replacement): this {
    return this.#step(session, (draft) => {
      draft.anchor = anchor;
      draft.after.hasAnchor = anchor !== 'remove';
    });
  }

  remove(session: SessionId): this {
    return this.#step(session, (draft) => {
      draft.after.presence = 'deleted';
      draft.snapshot = 'remove';
      draft.receipt = 'remove';
      draft.anchor = 'remove';
      draft.after.hasReceipt = false;
      draft.after.hasAnchor = false;
      restartLog(draft, []);
      draft.log = { reset: true, entries: [], removed: true };
    });
  }

  park(session: SessionId, ...commands: readonly ParkedCommand[]): this {
    return this.#step(session, (draft) => {
      draft.parked = [...draft.parked, ...commands];
      draft.after.parkedCommands += commands.length;
      for (const { bytes } of commands) draft.after.parkedBytes += bytes;
    });
  }

  /** Takes out commands that an earlier plan parked. */
  unpark(session: SessionId, ...commands: readonly ParkedCommand[]): this {
    return this.#step(session, (draft) => {
      draft.unparked = [...draft.unparked, ...commands.map(({ sequence }) => sequence)];
      draft.after.parkedCommands -= commands.length;
      for (const { bytes } of commands) draft.after.parkedBytes -= bytes;
    });
  }

  file(session: SessionId, ...records: readonly FiledRecord[]): this {
    return this.#step(session, (draft) => {
      draft.filed = [...draft.filed, ...records];
      draft.after.filed += records.length;
    });
  }

  /** Changes the cursor in any way that the other steps do not. */
  cursor(session: SessionId, changes: Partial<Cursor>): this {
    return this.#step(session, ({ after }) => {
      Object.assign(after, changes);
    });
  }

  unreadable(...letters: readonly DeadLetter[]): this {
    this.#unreadable.push(...letters);
    return this;
  }

  /** Moves a partition from where the last plan left it. */
  position(source: SourceId, partition: number, to: StoredPosition): this {
    const name = `${partition} ${source}`;
    this.#steps.push({ source, partition, from: this.#positions.get(name), to });
    this.#positions.set(name, to);
    return this;
  }

  /** The plan of all steps since the last one. */
  build(): Plan {
    const changes = [...this.#drafts.values()];
    for (const { session, after } of changes) this.#cursors.set(session, after);
    const plan: Plan = { changes, unreadable: this.#unreadable, positions: this.#steps, tally: emptyTally };
    this.#drafts = new Map();
    this.#unreadable = [];
    this.#steps = [];
    return plan;
  }

  #step(session: SessionId, change: (draft: Draft) => void): this {
    const draft = this.#drafts.get(session) ?? newDraft(session, this.#cursors.get(session));
    this.#drafts.set(session, draft);
    draft.after.version += 1;
    change(draft);
    return this;
  }
}

const emptyTally: Plan['tally'] = {
  applied: 0,
  duplicates: 0,
  parked: 0,
  drained: 0,
  claimed: 0,
  skipped: 0,
  deadLetters: { refused: 0, fenced: 0, unclaimed: 0, conflict: 0, skipped: 0, overflow: 0, 'stale decision': 0 },
};

function newDraft(session: SessionId, before: Cursor | undefined): Draft {
  const nothing = { log: undefined, snapshot: undefined, receipt: undefined, anchor: undefined };
  return { session, before, after: { ...(before ?? initialCursor) }, ...nothing, parked: [], unparked: [], filed: [] };
}

function restartLog(draft: Draft, entries: readonly Uint8Array[]): void {
  draft.after.generation += 1;
  draft.after.entries = entries.length;
  draft.log = { reset: true, entries };
}
