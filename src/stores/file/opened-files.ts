import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
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
import { Applier } from './applier.ts';
import type { Workplace } from './apply-effects.ts';
import { applyRecords } from './apply-records.ts';
import { BackupCopy, type Moment } from './backup-copy.ts';
import { Checkpoints } from './checkpoints.ts';
import { EffectWriter } from './effect-writer.ts';
import { type RecordEffect, readEffects } from './effects.ts';
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
  readonly #applier: Applier;
  readonly #checkpoints: Checkpoints;
  #failed = false;

  constructor({ workplace, database, journal, identity, totals, checkpointBytes, opening }: OpenedFilesParts) {
    this.workplace = workplace;
    this.database = database;
    this.identity = identity;
    this.totals = totals;
    this.records = new LevelRecords(database);
    this.#journal = journal;
    this.#batch = new ReusedBatch(database);
    this.#applier = new Applier(workplace, (error) => opening.turns.take(async () => opening.failed(error)));
    this.#checkpoints = new Checkpoints({
      workplace,
      applier: this.#applier,
      database,
      journal,
      checkpointBytes,
      opening,
    });
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
    const { setAside, places } = this.workplace;
    // Snapshot, reader and what is remembered of the cursor are of the same moment, since nothing comes between.
    const { snapshot, reader, recalled } = await this.#applier.look(session, () => ({
      snapshot: this.database.snapshot(),
      reader: setAside.addReader(session),
      recalled: cursors.recall(session),
    }));
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
  moment(wants: (session: SessionId) => boolean): Promise<Moment> {
    return this.#applier.look(undefined, () => ({
      snapshot: this.database.snapshot(),
      reader: this.workplace.setAside.addReaderOfAll(wants),
    }));
  }

  copyTo(draft: string, guard: Guard): Promise<BackupSize> {
    return new BackupCopy(this, draft, guard).make();
  }

  start(): void {
    // Checkpoints begin with the commits that make them necessary.
  }

  async idle(): Promise<void> {
    await this.#applier.idle();
    await this.#checkpoints.idle();
  }

  async close(): Promise<void> {
    try {
      await this.idle();
      if (!this.#failed && !this.#applier.failed && !this.#checkpoints.failed) await this.#finish();
    } finally {
      await this.#journal.close();
      await this.workplace.logs.close();
      await this.database.close();
    }
  }

  /** The last checkpoint, after which there is no journal. Where there is no room, the next opening makes it instead. */
  async #finish(): Promise<void> {
    try {
      await this.#checkpoints.finish();
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
      await this.#applier.room();
      // The next commit is written over this frame, perhaps before its files are.
      const effects = readEffects(Buffer.from(frame.subarray(frameHeaderBytes)));
      const recorded = applyRecords(this.database, this.#batch, effects.records, commit);
      this.#applier.add({ effects: effects.files, bytes: frame.length, recorded });
      await recorded;
      for (const [session, state] of states) this.#states.set(session, state);
      await this.#checkpoints.beginIfDue();
    } catch (error) {
      this.#failed = true;
      throw error;
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
