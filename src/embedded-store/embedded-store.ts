import type { EventEmitter } from 'node:events';
import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, Plan, SourceId, StoredPosition } from '../domain/plan.ts';
import { addPlan, type StoreTotals } from '../domain/totals.ts';
import type {
  BackupSize,
  FiledKey,
  Page,
  SessionView,
  Store,
  StoreCapabilities,
  StoreIdentity,
} from '../ports/store.ts';
import { assertPlan, storeClosed } from '../stores/plan-checks.ts';
import { Turns } from '../turns/turns.ts';
import { Backups } from './backups.ts';
import { checkPlan, isCommitted, noteCommitted, storedVersions } from './check-plan.ts';
import { type Content, readContent } from './content.ts';
import type { Engine, OpenedEngine } from './engine.ts';
import { defaultCachedVersions, type EmbeddedStoreOptions } from './store-options.ts';
import { type EmbeddedStoreEvents, type EmbeddedStoreState, WriteState } from './write-state.ts';

export interface EmbeddedStoreParts<Opened extends OpenedEngine>
  extends Pick<EmbeddedStoreOptions, 'files' | 'cachedVersions'> {
  readonly engine: Engine<Opened>;
  readonly capabilities: StoreCapabilities;
}

/** An engine that is open, and what is known of its content. */
interface Open<Opened> extends Content {
  readonly engine: Opened;
}

/** Opens a store, as its engine says: see there for what it throws. */
export async function openEmbeddedStore<Opened extends OpenedEngine>(
  parts: EmbeddedStoreParts<Opened>,
): Promise<EmbeddedStore<Opened>> {
  const store = new EmbeddedStore(parts);
  await store.open();
  return store;
}

/**
 * A store that belongs to one process: what all of them do, whatever engine holds their content. It compares a plan with
 * what is stored before anything is written, lets commits take turns, remembers cursors, and turns read-only while the
 * disk is full: see {@link WriteState}.
 */
export class EmbeddedStore<Opened extends OpenedEngine> implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #engine: Engine<Opened>;
  readonly #cachedVersions: number;
  readonly #turns = new Turns();
  readonly #backups: Backups;
  readonly #writeState = new WriteState();
  #opened: Open<Opened> | undefined;
  #identity: StoreIdentity | undefined;
  /** A plan whose commit failed on a full disk: it may be found in the store all the same. */
  #unsettled: Plan | undefined;
  #closing: Promise<void> | undefined;

  constructor({ engine, capabilities, files, cachedVersions = defaultCachedVersions }: EmbeddedStoreParts<Opened>) {
    this.capabilities = capabilities;
    this.#engine = engine;
    this.#cachedVersions = cachedVersions;
    this.#backups = new Backups({
      engine,
      files,
      opened: () => this.#read(async ({ engine: opened }) => opened),
      guard: (read) => this.#read(read),
    });
  }

  get identity(): StoreIdentity {
    if (this.#identity === undefined) throw storeClosed();
    return this.#identity;
  }

  get state(): EmbeddedStoreState {
    return this.#writeState.current;
  }

  get events(): EventEmitter<EmbeddedStoreEvents> {
    return this.#writeState.events;
  }

  /** Opens, or opens anew, the engine. */
  async open(): Promise<void> {
    try {
      const engine = await this.#engine.open({
        turns: this.#turns,
        failed: (error) => this.#writeFailed(error, 'cleaning'),
      });
      try {
        this.#assertSameIdentity(engine.identity);
        this.#opened = { engine, ...(await readContent(engine, this.#cachedVersions)) };
      } catch (error) {
        await engine.close();
        throw error;
      }
      this.#identity = engine.identity;
      engine.start();
    } catch (error) {
      throw this.#engine.classify(error, 'opening');
    }
  }

  /**
   * See {@link Store.commit}. After `DISK_FULL` it is unknown whether the plan was written. Every later commit first
   * looks for room and opens the engine anew; when the very plan that failed is committed again and turns out to
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
    return this.#read(({ engine, cursors }) => engine.openView(session, cursors, (read) => this.#read(read)));
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

  /** Resolves once nothing is left to do beside commits, such as removing what was replaced, or it was given up. */
  async idle(): Promise<void> {
    await this.#opened?.engine.idle();
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
    const write = opened.engine.prepare(plan, totals === opened.totals ? undefined : totals);
    opened.cursors.startCommit(plan.changes);
    try {
      await write();
    } catch (error) {
      const failure = this.#writeFailed(error, 'committing');
      if (failure.code === 'DISK_FULL') this.#unsettled = plan;
      throw failure;
    }
    opened.totals = totals;
    this.#settle(opened, plan);
  }

  #settle(opened: Open<Opened>, plan: Plan): void {
    this.#unsettled = undefined;
    noteCommitted(opened, plan);
  }

  /** The engine, ready to be written: after a full disk, opened anew once there is room. */
  async #writable(): Promise<Open<Opened>> {
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
    try {
      await this.#engine.probeRoom();
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
    await opened?.engine.close();
  }

  /** After a failed write nobody knows what is on disk, so nothing may follow it. */
  #writeFailed(error: unknown, doing: string): PersistenceError {
    const failure = this.#engine.classify(error, doing);
    this.#writeState.enter(failure.code === 'DISK_FULL' ? 'read-only' : 'failed', failure);
    return failure;
  }

  async #read<Value>(read: (opened: Open<Opened>) => Promise<Value>): Promise<Value> {
    if (this.#writeState.current === 'closed') throw storeClosed();
    if (this.#opened === undefined) throw this.#unavailable();
    try {
      return await read(this.#opened);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      if (this.#closing !== undefined) throw storeClosed();
      throw this.#engine.classify(error, 'reading');
    }
  }

  #assertSameIdentity(found: StoreIdentity): void {
    if (this.#identity === undefined || this.#identity.id === found.id) return;
    throw new PersistenceError('STORE_CORRUPT', `${this.#engine.name} is another one than before`);
  }

  #unavailable(): PersistenceError {
    return new PersistenceError('STORE_UNAVAILABLE', `${this.#engine.name} is not open now`);
  }
}
