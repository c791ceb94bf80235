import type { Cursor } from '../../domain/cursor.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, Plan, SourceId, StoredPosition } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import type {
  BackupSize,
  FiledKey,
  Page,
  SessionView,
  Store,
  StoreCapabilities,
  StoreIdentity,
  ViewUse,
} from '../../ports/store.ts';
import { type ConnectionOptions, RedisConnection } from '../../redis/connection.ts';
import { assertVersion, type Durability, durabilityOf } from '../../redis/durability.ts';
import { storeUse } from '../../redis/failures.ts';
import type { RedisAddress } from '../../redis/options.ts';
import { Turns } from '../../turns/turns.ts';
import { assertPlan, storeClosed } from '../plan-checks.ts';
import { Committer, type ReplicaBarrier } from './committer.ts';
import { clusterKeys, type KeySpace, standaloneKeys } from './keys.ts';
import { holdsStore, type Layout, settleLayout } from './layout.ts';
import { RedisReader } from './redis-reader.ts';
import { openView } from './redis-session-view.ts';

export interface RedisStoreOptions {
  readonly connection: RedisAddress;
  /** What all keys begin with; upstream's own is `macp`. */
  readonly prefix: string;
  /** A fresh random UUID at every call: the identity of a new store. */
  readonly newId: () => string;
  /** Replicas that must have taken a commit before it counts. Default: none is waited for. */
  readonly replicas?: ReplicaBarrier | undefined;
  /** For how many milliseconds a log that was replaced or deleted can still be read on. Default 60,000. */
  readonly viewLifetimeMs?: number | undefined;
  /** Most milliseconds that Redis may take to answer, or to be connected to. Default 10,000. */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * True to count a commit only while Redis says that it survives a power cut: settings change, and so does who is
   * master. Default false. A store that is weak already when it is opened is opened nevertheless.
   */
  readonly requiresDurable?: boolean | undefined;
  /** True to take the store as it is now where macp-runtime wrote to it after us. Default false. */
  readonly adoptChanges?: boolean | undefined;
}

/** The store, and what only this adapter has. */
export interface RedisStore extends Store {
  /** As Redis was set up when the store was opened, like {@link Store.capabilities}. */
  readonly durability: Durability;
}

const defaultAnswerTimeoutMs = 10_000;
const defaultViewLifetimeMs = 60_000;

/**
 * Opens or creates a store in Redis 7 or newer, and adopts what macp-runtime has stored under the prefix. Throws
 * `STORE_UNAVAILABLE` when Redis does not answer, `INVALID_CONFIGURATION` (wrong password, missing permissions, a
 * cluster that was not configured as one, an earlier version, our own gateway), `STORE_TOO_NEW`, `STORE_CORRUPT`, and
 * `STORE_CHANGED_ELSEWHERE` where macp-runtime wrote to it after us, unless that is to be adopted.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const keys = keySpace(options);
  const access = accessOf(options);
  const reads = await RedisConnection.open(access);
  const opened: RedisConnection[] = [reads];
  try {
    const durability = await durabilityOf(reads);
    assertVersion(durability, reads.where);
    const layout = await settleLayout(reads, keys, {
      newId: options.newId,
      adoptChanges: options.adoptChanges ?? false,
    });
    // A connection of their own: a read does not wait for what a large commit sends, or for its replicas.
    const commits = await RedisConnection.open(access);
    opened.push(commits);
    return new SharedRedisStore(options, keys, { reads, commits }, layout, durability);
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}

/** Whether there is a store under the prefix, or something that opening would adopt. Rejects as opening does. */
export async function redisStoreExists(options: Omit<RedisStoreOptions, 'newId'>): Promise<boolean> {
  const connection = await RedisConnection.open(accessOf(options));
  try {
    await durabilityOf(connection);
    return await holdsStore(connection, keySpace(options));
  } finally {
    connection.close();
  }
}

interface Connections {
  readonly reads: RedisConnection;
  readonly commits: RedisConnection;
}

class SharedRedisStore implements RedisStore {
  readonly identity: StoreIdentity;
  readonly capabilities: StoreCapabilities;
  readonly weaknesses: readonly string[];
  readonly durability: Durability;
  readonly #keys: KeySpace;
  readonly #connections: Connections;
  readonly #reader: RedisReader;
  readonly #committer: Committer;
  readonly #turns = new Turns();
  #closing: Promise<void> | undefined;

  constructor(
    options: RedisStoreOptions,
    keys: KeySpace,
    connections: Connections,
    { identity, text }: Layout,
    durability: Durability,
  ) {
    this.identity = identity;
    this.durability = durability;
    this.weaknesses = durability.weaknesses;
    this.capabilities = capabilitiesOf(keys, durability);
    this.#keys = keys;
    this.#connections = connections;
    this.#reader = new RedisReader(connections.reads, keys);
    const viewLifetimeMs = options.viewLifetimeMs ?? defaultViewLifetimeMs;
    const encoding = { keys, identity: text, viewLifetimeMs };
    const { replicas, requiresDurable = false } = options;
    this.#committer = new Committer(connections.commits, encoding, { replicas, requiresDurable });
  }

  /** See {@link Store.commit}; in a cluster each bucket is an atomic step, and positions are the last of them. */
  async commit(plan: Plan): Promise<void> {
    assertPlan(plan);
    await this.#turns.take(() => this.#guard(() => this.#committer.commit(plan)));
  }

  async readCursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    return this.#guard(() => this.#reader.cursors(sessions));
  }

  async readParkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    return this.#guard(() => this.#reader.parkedHeaders(session));
  }

  async readParked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    return this.#guard(() => this.#reader.parked(session, sequences));
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    return this.#guard(() => this.#reader.areFiled(keys));
  }

  async readFiled(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    return this.#guard(() => this.#reader.filed(session, page));
  }

  async readPositions(source: SourceId): Promise<ReadonlyMap<number, StoredPosition>> {
    const positions = await this.#guard(() => this.#reader.positions());
    return positions.get(source) ?? new Map();
  }

  async readSources(): Promise<readonly SourceId[]> {
    return [...(await this.#guard(() => this.#reader.positions())).keys()];
  }

  async readTotals(): Promise<StoreTotals> {
    return this.#guard(() => this.#reader.totals());
  }

  async openSession(session: SessionId, use: ViewUse = 'everything'): Promise<SessionView | undefined> {
    const { reads } = this.#connections;
    return openView(this.#keys.bucketOf(session), session, use, (read) => this.#guard(() => read(reads)));
  }

  async listSessions(page: Page<SessionId>): Promise<readonly SessionId[]> {
    const known = await this.#guard(() => this.#reader.cursorPage(page, ({ presence }) => presence === 'known'));
    return known.map(([session]) => session);
  }

  async listCursors(page: Page<SessionId>): Promise<readonly (readonly [SessionId, Cursor])[]> {
    return this.#guard(() => this.#reader.cursorPage(page, () => true));
  }

  async backup(): Promise<BackupSize> {
    return this.#guard(() => {
      throw new PersistenceError('NOT_SUPPORTED', 'a store in Redis is backed up by what Redis brings for it');
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#turns.take(async () => {
      this.#connections.commits.close();
      this.#connections.reads.close();
    });
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #guard<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#closing !== undefined) throw storeClosed();
    try {
      return await work();
    } catch (error) {
      if (this.#closing !== undefined && isPersistenceError(error)) throw storeClosed();
      throw error;
    }
  }
}

function capabilitiesOf(keys: KeySpace, { weaknesses }: Durability): StoreCapabilities {
  const isCluster = keys.kind === 'redis-cluster';
  return {
    durable: weaknesses.length === 0,
    shared: true,
    atomicPositions: !isCluster,
    layout: isCluster ? 'own' : 'upstream',
    backup: false,
  };
}

/** Throws `INVALID_CONFIGURATION` for a prefix that cannot be one. */
export function keySpace({ connection, prefix }: Pick<RedisStoreOptions, 'connection' | 'prefix'>): KeySpace {
  if (prefix === '') throw new PersistenceError('INVALID_CONFIGURATION', 'the prefix of a Redis store is empty');
  if (!('nodes' in connection)) return standaloneKeys(prefix);
  if (/[{}]/.test(prefix)) {
    throw new PersistenceError('INVALID_CONFIGURATION', `the prefix of a store in a cluster holds a brace: ${prefix}`);
  }
  return clusterKeys(prefix);
}

/** How a connection for the store is opened. */
export function accessOf({
  connection,
  replicas,
  answerTimeoutMs = defaultAnswerTimeoutMs,
}: Pick<RedisStoreOptions, 'connection' | 'replicas' | 'answerTimeoutMs'>): ConnectionOptions {
  return { address: connection, use: storeUse, answerTimeoutMs: answerTimeoutMs + (replicas?.timeoutMs ?? 0) };
}
