import { copyPartitions } from '../domain/copy-marker.ts';
import type { Cursor } from '../domain/cursor.ts';
import { bytesDigest } from '../domain/digest.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type {
  DeadLetter,
  FiledRecord,
  Plan,
  PositionStep,
  SessionChange,
  SourceId,
  StoredPosition,
} from '../domain/plan.ts';
import { emptyTally } from '../domain/rule/tally.ts';
import type { SourcePosition } from '../ports/copy-source.ts';
import type { FiledKey, Store } from '../ports/store.ts';
import { isPart, SessionDraft } from './session-draft.ts';

/** What is committed together at most, unless one document alone is larger. */
const group = { sessions: 1_000, bytes: 8 * 1024 * 1024 };

/** Nobody compares it with a record: there is none. */
const noRecord = bytesDigest();

/**
 * Writes a copy into the target in groups, each one commit. Every commit also counts the copy's marker on by one, so
 * that of two copies into one store that is shared only one goes on (`POSITION_MISMATCH`).
 */
export class CopyWriter {
  readonly #target: Store;
  readonly #marker: SourceId;
  #commits: StoredPosition | undefined;
  #changes: SessionChange[] = [];
  #bytes = 0;

  /** `commits`: how far the marker stands in the target. */
  constructor(target: Store, marker: SourceId, commits: StoredPosition | undefined) {
    this.#target = target;
    this.#marker = marker;
    this.#commits = commits;
  }

  /**
   * Begins a session of which the target holds `before`: anew, or, where `goesOn`, behind the part of it that is there.
   */
  async begin(session: SessionId, before: Cursor | undefined, goesOn: boolean): Promise<SessionDraft> {
    if (goesOn && isPart(before)) return SessionDraft.behind(session, before);
    const parked = before === undefined ? [] : await this.#target.readParkedHeaders(session);
    return SessionDraft.anew(
      session,
      before,
      parked.map(({ sequence }) => sequence),
    );
  }

  /** Commits what has become too much to be held. To be called after whatever is added to the draft. */
  async makeRoom(draft: SessionDraft): Promise<void> {
    if (this.#bytes + draft.bytes < group.bytes) return;
    await this.flush();
    if (draft.bytes < group.bytes) return;
    await this.#commit({ changes: [draft.takePart()] });
  }

  /** Takes a session's last part; commits where that is enough. */
  async end(change: SessionChange, bytes: number): Promise<void> {
    this.#changes.push(change);
    this.#bytes += bytes;
    if (this.#changes.length >= group.sessions || this.#bytes >= group.bytes) await this.flush();
  }

  /** Commits all that waits. */
  async flush(): Promise<void> {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    this.#changes = [];
    this.#bytes = 0;
    await this.#commit({ changes });
  }

  /** Commits what says that the copy has begun. */
  begun(): Promise<void> {
    return this.#commit({});
  }

  /** Commits those of the letters that the target does not hold. */
  async fileWithoutSession(letters: readonly DeadLetter[]): Promise<void> {
    const unreadable = await this.notFiled(letters);
    if (unreadable.length > 0) await this.#commit({ unreadable });
  }

  /** Commits the positions of the source, and that the copy is complete. */
  complete(positions: readonly SourcePosition[]): Promise<void> {
    const done: SourcePosition = { source: this.#marker, partition: copyPartitions.complete, to: position(1) };
    return this.#commit({ positions: [...positions, done].map((step) => ({ ...step, from: undefined })) });
  }

  /** Those of the records that the target does not hold. */
  async notFiled<Filed extends FiledRecord>(records: readonly Filed[]): Promise<readonly Filed[]> {
    const areFiled = await this.#target.areFiled(records.map(({ session, id }): FiledKey => ({ session, id })));
    return records.filter((_, index) => areFiled[index] !== true);
  }

  async #commit({ changes = [], unreadable = [], positions = [] }: Partial<Plan>): Promise<void> {
    const to = position((this.#commits?.next ?? 0) + 1);
    const step: PositionStep = {
      source: this.#marker,
      partition: copyPartitions.commits,
      from: this.#commits,
      to,
    };
    await this.#target.commit({ changes, unreadable, positions: [step, ...positions], tally: emptyTally() });
    this.#commits = to;
  }
}

function position(next: number): StoredPosition {
  return { next, digest: noRecord };
}
