import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Plan } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import type { Guard, OpenedEngine, Opening } from '../../embedded-store/engine.ts';
import { RecentSessions } from '../../embedded-store/recent-sessions.ts';
import { cursorKey } from '../../embedded-store/record-keys.ts';
import type { StoredCursors } from '../../embedded-store/stored-cursors.ts';
import { writeSessionRecords, writeStoreRecords } from '../../embedded-store/write-records.ts';
import type { Database, DatabaseSnapshot } from '../../level/database.ts';
import { classifyFailure } from '../../level/failures.ts';
import { LevelRecords } from '../../level/level-records.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { BackupSize, SessionView, StoreIdentity } from '../../ports/store.ts';
import { applyEffects, type Workplace } from './apply-effects.ts';
import { applyRecords } from './apply-records.ts';
import { BackupCopy, type Moment } from './backup-copy.ts';
import { Checkpoints } from './checkpoints.ts';
import { Dirty } from './dirty.ts';
import { EffectWriter } from './effect-writer.ts';
import { type Effects, type RecordEffect, readEffects } from './effects.ts';
import { FileSessionView } from './file-session-view.ts';
import { frameHeaderBytes, sealFrame } from './frame.ts';
import type { Journal } from './journal.ts';
import { decodeState, type SessionState, stateKey } from './session-state.ts';
import { touchesFiles, writeFileEffects } from './write-plan.ts';

const rememberedStates = 100_000;

export interface OpenedFilesParts {
  readonly workplace: Workplace;
  readonly database: Database;
  readonly journal: Journal;
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
  readonly checkpointBytes: number;
  readonly opening: Opening;
}

/** An open directory: a commit goes to the journal, then to files and records, which checkpoints make durable. */
export class OpenedFiles implements OpenedEngine {
  readonly workplace: Workplace;
  readonly database: Database;
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
  readonly records: LevelRecords;
  readonly #journal: Journal;
  readonly #batch: ReusedBatch;
  readonly #writer = new EffectWriter();
  readonly #states = new RecentSessions<SessionState | undefined>(rememberedStates);
  readonly #checkpoints: Checkpoints;
  #dirty = new Dirty();
  /** Sessions whose files are being written, and when that is over. */
  #writing: { readonly sessions: ReadonlySet<SessionId>; readonly done: Promise<unknown> } | undefined;
  /** Sessions whose files may be neither as before nor as after a commit that failed. */
  #unsettled: ReadonlySet<SessionId> = new Set();
  #failed = false;

  constructor({ workplace, database, journal, identity, totals, checkpointBytes, opening }: OpenedFilesParts) {
    this.workplace = workplace;
    this.database = database;
    this.identity = identity;
    this.totals = totals;
    this.records = new LevelRecords(database);
    this.#journal = journal;
    this.#batch = new ReusedBatch(database);
    this.#checkpoints = new Checkpoints({ workplace, database, journal, checkpointBytes, opening });
  }

  prepare(plan: Plan, totals: StoreTotals | undefined): () => Promise<void> {
    const records: RecordEffect[] = [];
    const batch = {
      put: (key: Uint8Array, value: Uint8Array) => records.push({ kind: 'put', key, value }),
      del: (key: Uint8Array) => records.push({ kind: 'del', key }),
    };
    for (const change of plan.changes) writeSessionRecords(batch, change);
    writeStoreRecords(batch, plan, totals);
    return () => this.#write(plan, records);
  }

  async openView(session: SessionId, cursors: StoredCursors, guard: Guard): Promise<SessionView | undefined> {
    while (this.#writing?.sessions.has(session)) await this.#writing.done.catch(() => undefined);
    if (this.#unsettled.has(session)) throw halfWritten();
    const { setAside, places } = this.workplace;
    // Snapshot, reader and what is remembered of the cursor are of the same moment, since nothing comes between.
    const snapshot = this.database.snapshot();
    const reader = setAside.addReader(session);
    const recalled = cursors.recall(session);
    let cursor: Cursor | undefined;
    try {
      cursor = recalled === undefined ? await this.#readCursor(cursors, session, snapshot) : recalled.cursor;
    } finally {
      if (cursor?.presence !== 'known') {
        await snapshot.close();
        await setAside.removeReader(reader, session);
      }
    }
    if (cursor?.presence !== 'known') return undefined;
    const source = { places, setAside, database: this.database, guard };
    return new FileSessionView(session, cursor, source, { snapshot, reader });
  }

  /** Everything as of one moment between two commits. The caller closes the snapshot and removes the reader. */
  async moment(wants: (session: SessionId) => boolean): Promise<Moment> {
    while (this.#writing !== undefined) await this.#writing.done.catch(() => undefined);
    if (this.#unsettled.size > 0) throw halfWritten();
    return { snapshot: this.database.snapshot(), reader: this.workplace.setAside.addReaderOfAll(wants) };
  }

  copyTo(draft: string, guard: Guard): Promise<BackupSize> {
    return new BackupCopy(this, draft, guard).make();
  }

  start(): void {
    // Checkpoints begin with the commits that make them necessary.
  }

  idle(): Promise<void> {
    return this.#checkpoints.idle();
  }

  async close(): Promise<void> {
    try {
      await this.#checkpoints.idle();
      if (!this.#failed && !this.#checkpoints.failed) await this.#finish();
    } finally {
      await this.#journal.close();
      await this.workplace.logs.close();
      await this.database.close();
    }
  }

  /** The last checkpoint, after which there is no journal. Where there is no room, the next opening makes it instead. */
  async #finish(): Promise<void> {
    try {
      await this.#checkpoints.finish(this.#dirty);
      await this.#journal.remove();
      const { files, places } = this.workplace;
      await using closed = await files.open(places.closed, 'create');
      await closed.write(Buffer.from('closed\n', 'utf8'), 0);
    } catch (error) {
      const failure = classifyFailure(error, `the file store in ${this.workplace.places.directory}`, 'closing');
      if (failure.code !== 'DISK_FULL') throw failure;
    }
  }

  async #write(plan: Plan, records: readonly RecordEffect[]): Promise<void> {
    try {
      await this.#checkpoints.makeRoom();
      await this.#loadStates(plan);
      this.#writer.begin(frameHeaderBytes);
      const states = writeFileEffects(this.#writer, plan, (session) => this.#states.get(session));
      for (const record of records) this.#writeRecord(record);
      const frame = this.#writer.finish();
      const commit = this.#journal.next;
      sealFrame(frame, commit);
      await this.#journal.append(frame);
      await this.#apply(readEffects(frame.subarray(frameHeaderBytes)), commit);
      for (const [session, state] of states) this.#states.set(session, state);
      this.#dirty = await this.#checkpoints.beginIfDue(this.#dirty);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  async #apply(effects: Effects, commit: number): Promise<void> {
    const sessions = new Set(effects.files.map(({ session }) => session));
    const done = applyEffects(this.workplace, effects.files, this.#dirty).then(() =>
      applyRecords(this.database, this.#batch, effects.records, commit),
    );
    this.#writing = { sessions, done };
    try {
      await done;
    } catch (error) {
      this.#unsettled = sessions;
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  async #loadStates({ changes }: Plan): Promise<void> {
    const unknown = changes.filter((change) => touchesFiles(change) && !this.#states.has(change.session));
    if (unknown.length === 0) return;
    const found = await this.records.getMany(unknown.map(({ session }) => stateKey(session)));
    unknown.forEach(({ session }, index) => {
      const bytes = found[index];
      this.#states.set(session, bytes === undefined ? undefined : decodeState(bytes));
    });
  }

  #writeRecord(effect: RecordEffect): void {
    if (effect.kind === 'put') this.#writer.put(effect.key, effect.value);
    else if (effect.kind === 'del') this.#writer.del(effect.key);
    else this.#writer.clear(effect);
  }

  async #readCursor(
    cursors: StoredCursors,
    session: SessionId,
    snapshot: DatabaseSnapshot,
  ): Promise<Cursor | undefined> {
    const note = cursors.startRead();
    const bytes = await this.database.get(cursorKey(session), { snapshot });
    const cursor = bytes === undefined ? undefined : decodeCursor(bytes);
    note(session, cursor);
    return cursor;
  }
}

function halfWritten(): PersistenceError {
  const problem = 'the files of some sessions are half written: that is finished when the store is opened anew';
  return new PersistenceError('STORE_UNAVAILABLE', problem);
}
