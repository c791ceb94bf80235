import type { Delivery } from '../domain/delivery.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type { FiledId, ParkedCommand, ParkedHeader, SessionChange } from '../domain/plan.ts';
import { filedId } from '../domain/rule/filed-id.ts';
import type { Knowledge, MissingParked, SessionState } from '../domain/rule/knowledge.ts';
import type { FiledKey, Store } from '../ports/store.ts';
import type { SessionCache } from './session-cache.ts';

const nothingParked: ReadonlyMap<Sequence, ParkedHeader> = new Map();

/** Parked commands that were loaded whole, by session and sequence. */
export type ParkedWhole = Map<SessionId, Map<Sequence, ParkedCommand>>;

/** What is known of a batch; it grows with the batch's slices, each of which it has to {@link learn} first. */
export interface GrowingKnowledge extends Knowledge {
  learn(deliveries: readonly Delivery[]): Promise<void>;
}

/** A commit that was planned and may not be in the store yet. */
export interface PendingCommit {
  readonly sessions: ReadonlySet<SessionId>;
  /** Resolves once the commit is over, whether or not it succeeded. */
  readonly over: Promise<unknown>;
}

/**
 * Loads what deciding a batch needs to know, from the cache where it can. The cache runs ahead of the store: it holds
 * the states that planned commits lead to, so that the next batch is decided while the last one is still written.
 * What only the store can tell is read after the pending commit where that may have changed it.
 */
export class KnowledgeLoader {
  readonly #store: Store;
  readonly #cache: SessionCache;

  constructor(store: Store, cache: SessionCache) {
    this.#store = store;
    this.#cache = cache;
  }

  /** Nothing is known of a batch yet but the parked commands that were loaded whole already. */
  begin(parked: ParkedWhole, pending: PendingCommit | undefined): GrowingKnowledge {
    const states = new Map<SessionId, SessionState>();
    const filed = new Set<string>();
    return {
      learn: async (deliveries) => {
        const unknown = this.#recall(deliveries, states);
        if (unknown.size > 0) await this.#read(unknown, states, pending);
        await this.#lookUpFiled(deliveries, states, filed, pending);
      },
      state: (session) => states.get(session) ?? unloaded(session),
      isFiled: (session, id) => filed.has(keyText({ session, id })),
      parkedCommand: (session, sequence) => parked.get(session)?.get(sequence),
    };
  }

  /** Remembers the states that a planned commit leads to, from those that it was decided on. */
  advance(changes: readonly SessionChange[], knowledge: Knowledge): void {
    for (const change of changes) {
      // Not from the cache: what the batch was decided on may have been pushed out of it meanwhile.
      const { parked } = knowledge.state(change.session);
      this.#cache.set(change.session, { cursor: change.after, parked: parkedAfter(parked, change) });
    }
  }

  /** Adds the states that the cache holds. Returns the sessions that it does not. */
  #recall(deliveries: readonly Delivery[], states: Map<SessionId, SessionState>): ReadonlySet<SessionId> {
    const unknown = new Set<SessionId>();
    for (const { content } of deliveries) {
      if (content.session === undefined || states.has(content.session)) continue;
      const cached = this.#cache.get(content.session);
      if (cached === undefined) unknown.add(content.session);
      else states.set(content.session, cached);
    }
    return unknown;
  }

  async #read(
    unknown: ReadonlySet<SessionId>,
    states: Map<SessionId, SessionState>,
    pending: PendingCommit | undefined,
  ): Promise<void> {
    const sessions = [...unknown];
    if (pending !== undefined && sessions.some((session) => pending.sessions.has(session))) await pending.over;
    const cursors = await this.#store.readCursors(sessions);
    for (const [index, session] of sessions.entries()) {
      const cursor = cursors[index];
      const headers =
        cursor !== undefined && cursor.parkedCommands > 0 ? await this.#store.readParkedHeaders(session) : [];
      const parked = headers.length === 0 ? nothingParked : new Map(headers.map((header) => [header.sequence, header]));
      const state = { cursor, parked };
      this.#cache.set(session, state);
      states.set(session, state);
    }
  }

  /** Only sessions that have anything filed, and deliveries without a session, need to be looked up. */
  async #lookUpFiled(
    deliveries: readonly Delivery[],
    states: ReadonlyMap<SessionId, SessionState>,
    filed: Set<string>,
    pending: PendingCommit | undefined,
  ): Promise<void> {
    const keys: FiledKey[] = [];
    for (const { content } of deliveries) {
      const { session } = content;
      const mayBeFiled = session === undefined || (states.get(session)?.cursor?.filed ?? 0) > 0;
      if (mayBeFiled) keys.push({ session, id: filedId(content) });
    }
    if (keys.length === 0) return;
    await pending?.over;
    const held = await this.#store.areFiled(keys);
    for (const [index, key] of keys.entries()) if (held[index] === true) filed.add(keyText(key));
  }

  /**
   * Loads parked commands whole, beside those that are loaded already. Throws `CURSOR_MISMATCH` where somebody else
   * has changed their session since `knowledge` of it was loaded.
   */
  async loadParked(
    missing: readonly MissingParked[],
    knowledge: Knowledge,
    parked: ParkedWhole,
    pending: PendingCommit | undefined,
  ): Promise<void> {
    await pending?.over;
    for (const { session, sequences } of missing) {
      const loaded = parked.get(session) ?? new Map<Sequence, ParkedCommand>();
      const commands = await this.#store.readParked(session, sequences).catch(async (error: unknown) => {
        if (isPersistenceError(error, 'STORE_CORRUPT')) await this.#refuseChanged(session, knowledge);
        throw error;
      });
      for (const command of commands) loaded.set(command.sequence, command);
      parked.set(session, loaded);
    }
  }

  /** On a store that several workers share, what is not there any more may have been drained by another one. */
  async #refuseChanged(session: SessionId, knowledge: Knowledge): Promise<void> {
    const [stored] = await this.#store.readCursors([session]);
    if (stored?.version === knowledge.state(session).cursor?.version) return;
    throw new PersistenceError(
      'CURSOR_MISMATCH',
      `session ${JSON.stringify(session)} was changed by another worker while it was decided on`,
    );
  }
}

function parkedAfter(
  parked: ReadonlyMap<Sequence, ParkedHeader>,
  change: SessionChange,
): ReadonlyMap<Sequence, ParkedHeader> {
  if (change.parked.length === 0 && change.unparked.length === 0) return parked;
  const after = new Map(parked);
  for (const sequence of change.unparked) after.delete(sequence);
  for (const { sequence, epoch, writer, digest, bytes, refusal } of change.parked) {
    // Not the command itself: its message would be kept in memory.
    after.set(sequence, { sequence, epoch, writer, digest, bytes, refusal });
  }
  return after.size === 0 ? nothingParked : after;
}

function unloaded(session: SessionId): never {
  throw new TypeError(`session ${session} is not among the deliveries that were loaded`);
}

function keyText({ session, id }: { readonly session: SessionId | undefined; readonly id: FiledId }): string {
  return `${id}/${session ?? ''}`;
}
