import type { Cursor } from '../../domain/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type {
  FiledRecord,
  ParkedCommand,
  ParkedHeader,
  Plan,
  SessionChange,
  SourceId,
  StoredPosition,
} from '../../domain/plan.ts';
import { addPlan, emptyTotals, type StoreTotals } from '../../domain/totals.ts';
import { checkedLimit } from '../../ports/log-range.ts';
import type {
  BackupSize,
  FiledKey,
  Page,
  SessionView,
  Store,
  StoreCapabilities,
  StoreIdentity,
} from '../../ports/store.ts';
import {
  assertPlan,
  cursorMismatch,
  missingParked,
  positionMismatch,
  samePosition,
  storeClosed,
} from '../plan-checks.ts';
import { compareUtf8, filedName, ownedBytes, ownedFiled, ownedParked, replaced } from './contents.ts';
import { MemorySessionView, type StoredSession } from './memory-session-view.ts';

/**
 * A store that keeps everything in this process and loses it on close: the model that the others are tested against.
 * `id` names it in `identity`.
 */
export function createMemoryStore(id = 'memory'): Store {
  return new MemoryStore(id);
}

class MemoryStore implements Store {
  readonly identity: StoreIdentity;
  readonly capabilities: StoreCapabilities = {
    durable: false,
    shared: false,
    atomicPositions: true,
    layout: 'own',
    backup: false,
  };
  readonly #sessions = new Map<SessionId, StoredSession>();
  readonly #filed = new Map<string, FiledRecord>();
  readonly #positions = new Map<SourceId, Map<number, StoredPosition>>();
  #totals: StoreTotals = emptyTotals();
  #closed = false;

  constructor(id: string) {
    this.identity = { kind: 'memory', id, layoutVersion: 1 };
  }

  async commit(plan: Plan): Promise<void> {
    this.#assertOpen();
    assertPlan(plan);
    for (const step of plan.positions) {
      const stored = this.#positions.get(step.source)?.get(step.partition);
      if (!samePosition(stored, step.from)) throw positionMismatch(step, stored);
    }
    for (const change of plan.changes) {
      const stored = this.#sessions.get(change.session)?.cursor.version;
      if (stored !== change.before?.version) throw cursorMismatch(change, stored);
    }
    this.#totals = addPlan(this.#totals, plan, this.#areFiled(plan.unreadable));
    for (const change of plan.changes) this.#apply(change);
    for (const letter of plan.unreadable) this.#file(letter);
    for (const { source, partition, to } of plan.positions) {
      const partitions = this.#positions.get(source) ?? new Map<number, StoredPosition>();
      this.#positions.set(source, partitions.set(partition, { ...to }));
    }
  }

  async readCursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    this.#assertOpen();
    return sessions.map((session) => this.#sessions.get(session)?.cursor);
  }

  async readParkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    this.#assertOpen();
    return [...(this.#sessions.get(session)?.parked.values() ?? [])]
      .sort((one, other) => one.sequence - other.sequence)
      .map(({ sequence, epoch, writer, digest, bytes, refusal }) => ({
        sequence,
        epoch,
        writer,
        digest,
        bytes,
        refusal,
      }));
  }

  async readParked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    this.#assertOpen();
    const parked = this.#sessions.get(session)?.parked;
    return sequences.map((sequence) => {
      const command = parked?.get(sequence);
      if (command === undefined) throw missingParked(session, sequence);
      return ownedParked(command);
    });
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    this.#assertOpen();
    return this.#areFiled(keys);
  }

  async readFiled(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    this.#assertOpen();
    const records = [...this.#filed].filter(([, record]) => session === undefined || record.session === session);
    const after = page.after === undefined ? undefined : filedName(page.after);
    return pageOf(records, { after, limit: page.limit }).map(([, record]) => ownedFiled(record));
  }

  async readPositions(source: SourceId): Promise<ReadonlyMap<number, StoredPosition>> {
    this.#assertOpen();
    return new Map(this.#positions.get(source));
  }

  async readSources(): Promise<readonly SourceId[]> {
    this.#assertOpen();
    return [...this.#positions.keys()].sort(compareUtf8);
  }

  async readTotals(): Promise<StoreTotals> {
    this.#assertOpen();
    return this.#totals;
  }

  async openSession(session: SessionId): Promise<SessionView | undefined> {
    this.#assertOpen();
    const stored = this.#sessions.get(session);
    if (stored?.cursor.presence !== 'known') return undefined;
    return new MemorySessionView(session, stored, () => this.#assertOpen());
  }

  async listSessions(page: Page<SessionId>): Promise<readonly SessionId[]> {
    this.#assertOpen();
    const known = [...this.#sessions].filter(([, stored]) => stored.cursor.presence === 'known');
    return pageOf(known, page).map(([session]) => session);
  }

  async listCursors(page: Page<SessionId>): Promise<readonly (readonly [SessionId, Cursor])[]> {
    this.#assertOpen();
    return pageOf([...this.#sessions], page).map(([session, { cursor }]) => [session, cursor] as const);
  }

  async backup(): Promise<BackupSize> {
    this.#assertOpen();
    throw new PersistenceError('NOT_SUPPORTED', 'a store in memory makes no backups');
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #areFiled(keys: readonly FiledKey[]): readonly boolean[] {
    return keys.map((key) => this.#filed.has(filedName(key)));
  }

  #apply(change: SessionChange): void {
    const stored = this.#sessions.get(change.session);
    const parked = new Map(stored?.parked);
    for (const sequence of change.unparked) parked.delete(sequence);
    for (const command of change.parked) parked.set(command.sequence, ownedParked(command));
    const kept = change.log?.reset === true ? [] : (stored?.log ?? []);
    this.#sessions.set(change.session, {
      cursor: structuredClone(change.after),
      log: [...kept, ...(change.log?.entries.map(ownedBytes) ?? [])],
      snapshot: replaced(stored?.snapshot, change.snapshot),
      receipt: replaced(stored?.receipt, change.receipt),
      anchor: replaced(stored?.anchor, change.anchor),
      parked,
    });
    for (const record of change.filed) this.#file(record);
  }

  #file(record: FiledRecord): void {
    this.#filed.set(filedName(record), ownedFiled(record));
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed();
  }
}

/** What of `items` lies on the page, in UTF-8 byte order of their names. */
function pageOf<Name extends string, Item>(items: [Name, Item][], page: Page<Name>): [Name, Item][] {
  const limit = checkedLimit(page.limit);
  const { after } = page;
  return items
    .filter(([name]) => after === undefined || compareUtf8(name, after) > 0)
    .sort(([one], [other]) => compareUtf8(one, other))
    .slice(0, limit);
}
