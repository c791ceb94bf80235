import type { EventEmitter } from 'node:events';
import type { Cursor } from '../../domain/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, Plan, SourceId, StoredPosition } from '../../domain/plan.ts';
import { addPlan, type StoreTotals } from '../../domain/totals.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type {
  BackupSize,
  FiledKey,
  Page,
  SessionView,
  Store,
  StoreCapabilities,
  StoreIdentity,
} from '../../ports/store.ts';
import { assertPlan, storeClosed } from '../plan-checks.ts';
import { Turns } from '../turns.ts';
import { Backups } from './backups.ts';
import { checkPlan, isCommitted, noteCommitted, storedVersions } from './check-plan.ts';
import { type OpenDatabase, openClassicLevel, probeRoom } from './database.ts';
import { classify } from './failures.ts';
import { openView } from './level-session-view.ts';
import { closeLevel, type OpenedLevel, type OpeningOptions, openLevel } from './opened-level.ts';
import { fillBatch } from './write-plan.ts';
import { type LevelStoreEvents, type LevelStoreState, WriteState } from './write-state.ts';

export interface LevelStoreOptions {
  /** Where the database lies; made when it is missing. No other process may have it open. */
  readonly directory: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Of how many sessions the cursor version is kept in memory, about 100 bytes each. Default 100,000. */
  readonly cachedVersions?: number | undefined;
  /** Room in bytes that there must be before a store whose disk was full is opened again. Default 16 MiB. */
  readonly probeBytes?: number | undefined;
  /** Opens the database; for tests that make it fail. Default: classic-level as it is tuned here. */
  readonly openDatabase?: OpenDatabase | undefined;
}

/** The store, and what only this adapter has. */
export interface LevelStore extends Store {
  readonly state: LevelStoreState;
  readonly events: EventEmitter<LevelStoreEvents>;
  /** Resolves once replaced and deleted logs are removed, or the store stopped removing them. */
  cleaned(): Promise<void>;
}

/**
 * Opens or creates a store on classic-level. Throws `STORE_LOCKED` at once when another process has it open,
 * `STORE_TOO_NEW`, `STORE_CORRUPT` (also for a database that is not ours), `DISK_FULL`, `STORE_IO_FAILED`.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { directory, files, clock, probeBytes = 16 * 1024 * 1024 } = options;
  const opening: OpeningOptions = {
    directory,
    files,
    clock,
    newId: options.newId,
    cachedVersions: options.cachedVersions ?? 100_000,
    openDatabase: options.openDatabase ?? openClassicLevel,
  };
  const store = new ClassicLevelStore(opening, probeBytes);
  await store.open();
  return store;
}

class ClassicLevelStore implements LevelStore {
  readonly capabilities: StoreCapabilities = {
    durable: true,
    shared: false,
    atomicPositions: true,
    layout: 'own',
    backup: true,
  };
  readonly #opening: OpeningOptions;
  readonly #probeBytes: number;
  readonly #turns = new Turns();
  readonly #backups: Backups;
  readonly #writeState = new WriteState();
  #opened: OpenedLevel | undefined;
  #identity: StoreIdentity | undefined;
  /** A plan whose commit failed on a full disk: it may be found in the database all the same. */
  #unsettled: Plan | undefined;
  #closing: Promise<void> | undefined;

  constructor(opening: OpeningOptions, probeBytes: number) {
    this.#opening = opening;
    this.#probeBytes = probeBytes;
    this.#backups = new Backups(opening, (read) => this.#read(read));
  }

  get identity(): StoreIdentity {
    if (this.#identity === undefined) throw storeClosed();
    return this.#identity;
  }

  get state(): LevelStoreState {
    return this.#writeState.current;
  }

  get events(): EventEmitter<LevelStoreEvents> {
    return this.#writeState.events;
  }

  /** Opens, or opens anew, the database. */
  async open(): Promise<void> {
    try {
      const opened = await openLevel(this.#opening, this.#turns, (error) => this.#writeFailed(error, 'cleaning'));
      this.#opened = opened;
      this.#assertSameIdentity(opened.identity);
      this.#identity = opened.identity;
      opened.cleaner.wake();
    } catch (error) {
      throw this.#classify(error, 'opening');
    }
  }

  /**
   * See {@link Store.commit}. After `DISK_FULL` it is unknown whether the plan was written. Every later commit first
   * looks for room and opens the database anew; when the very plan that failed is committed again and turns out to
   * be there (all its positions and cursor versions are), it counts as done.
   */
  async commit(plan: Plan): Promise<void> {
    assertPlan(plan);
    await this.#turns.take(() => this.#commit(plan));
  }

  async readCursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    return this.#read(async ({ cursors, versions }) => {
      const note = versions.startRead();
      const found = await cursors.read(sessions);
      sessions.forEach((session, index) => {
        note(session, found[index]?.version);
      });
      return found;
    });
  }

  async readParkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    return this.#read(({ reader }) => reader.parkedHeaders(session));
  }

  async readParked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    return this.#read(({ reader }) => reader.parked(session, sequences));
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    return this.#read(({ reader }) => reader.areFiled(keys));
  }

  async readFiled(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    return this.#read(({ reader }) => reader.filed(session, page));
  }

  async readPositions(source: SourceId): Promise<ReadonlyMap<number, StoredPosition>> {
    return this.#read(async ({ positions }) => new Map(positions.get(source)));
  }

  async readSources(): Promise<readonly SourceId[]> {
    return this.#read(async ({ reader }) => [...(await reader.positions()).keys()]);
  }

  async readTotals(): Promise<StoreTotals> {
    return this.#read(async ({ totals }) => totals);
  }

  async openSession(session: SessionId): Promise<SessionView | undefined> {
    return this.#read((opened) => openView(opened, session, (read) => this.#read(read)));
  }

  async listSessions(page: Page<SessionId>): Promise<readonly SessionId[]> {
    const known = await this.#read(({ reader }) => reader.cursorPage(page, ({ presence }) => presence === 'known'));
    return known.map(([session]) => session);
  }

  async listCursors(page: Page<SessionId>): Promise<readonly (readonly [SessionId, Cursor])[]> {
    return this.#read(({ reader }) => reader.cursorPage(page, () => true));
  }

  async backup(directory: string): Promise<BackupSize> {
    return this.#backups.make(directory);
  }

  async cleaned(): Promise<void> {
    await this.#opened?.cleaner.idle();
  }

  async close(): Promise<void> {
    this.#writeState.enter('closed');
    this.#closing ??= this.#settleAndRelease();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #commit(plan: Plan): Promise<void> {
    const opened = await this.#writable();
    const stored = await this.#read(() => storedVersions(opened, plan));
    if (plan === this.#unsettled && isCommitted(opened, plan, stored)) return this.#settle(opened, plan);
    checkPlan(opened, plan, stored);
    const totals = addPlan(opened.totals, plan, await this.#read(() => opened.reader.areFiled(plan.unreadable)));
    const garbage = fillBatch(opened.batch, plan, totals === opened.totals ? undefined : totals);
    opened.cursors.startCommit(plan.changes);
    try {
      await opened.batch.write();
    } catch (error) {
      const failure = this.#writeFailed(error, 'committing');
      if (failure.code === 'DISK_FULL') this.#unsettled = plan;
      throw failure;
    }
    opened.totals = totals;
    this.#settle(opened, plan);
    opened.cleaner.noteWritten(plan.changes.reduce((sum, { log }) => sum + (log?.entries.length ?? 0), 0));
    if (garbage > 0) opened.cleaner.wake();
  }

  #settle(opened: OpenedLevel, plan: Plan): void {
    this.#unsettled = undefined;
    noteCommitted(opened, plan);
  }

  /** The database, ready to be written: after a full disk, opened anew once there is room. */
  async #writable(): Promise<OpenedLevel> {
    const { current, cause } = this.#writeState;
    if (current === 'closed') throw storeClosed();
    if (current === 'failed') {
      throw new PersistenceError('STORE_IO_FAILED', 'the store failed before and must be opened by a new process', {
        cause,
      });
    }
    if (current === 'read-only') await this.#recover();
    if (this.#opened === undefined) throw this.#unavailable();
    return this.#opened;
  }

  async #recover(): Promise<void> {
    const { directory, files } = this.#opening;
    try {
      await probeRoom(files, directory, this.#probeBytes);
      await this.#release();
      await this.open();
    } catch (error) {
      throw this.#writeFailed(error, 'opening after the disk was full');
    }
    this.#writeState.enter('writable');
  }

  async #settleAndRelease(): Promise<void> {
    await this.#backups.settled();
    await this.#turns.take(() => this.#release());
  }

  async #release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) await closeLevel(opened);
  }

  /** After a failed write LevelDB's own log may end in a torn record, so nothing may follow it. */
  #writeFailed(error: unknown, doing: string): PersistenceError {
    const failure = this.#classify(error, doing);
    this.#writeState.enter(failure.code === 'DISK_FULL' ? 'read-only' : 'failed', failure);
    return failure;
  }

  async #read<Value>(read: (opened: OpenedLevel) => Promise<Value>): Promise<Value> {
    if (this.#writeState.current === 'closed') throw storeClosed();
    if (this.#opened === undefined) throw this.#unavailable();
    try {
      return await read(this.#opened);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      if (this.#closing !== undefined) throw storeClosed();
      throw this.#classify(error, 'reading');
    }
  }

  #assertSameIdentity(found: StoreIdentity): void {
    if (this.#identity === undefined || this.#identity.id === found.id) return;
    throw new PersistenceError('STORE_CORRUPT', `${this.#opening.directory} holds another store than before`);
  }

  #classify(error: unknown, doing: string): PersistenceError {
    return classify(error, this.#opening.directory, doing);
  }

  #unavailable(): PersistenceError {
    return new PersistenceError('STORE_UNAVAILABLE', `the level store in ${this.#opening.directory} is not open now`);
  }
}
