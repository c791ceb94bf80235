import type { Cursor } from '../domain/cursor.ts';
import type { Sequence, SessionId } from '../domain/identifiers.ts';
import type {
  FiledId,
  FiledRecord,
  ParkedCommand,
  ParkedHeader,
  Plan,
  SourceId,
  StoredPosition,
} from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';

/** What a store promises, as data, so that nobody has to ask which store it is. */
export interface StoreCapabilities {
  /** What was committed survives a power cut. */
  readonly durable: boolean;
  /** Several processes may commit to it at the same time. */
  readonly shared: boolean;
  /** Positions are stored in the same atomic step as the data. */
  readonly atomicPositions: boolean;
  /** An unmodified macp-runtime can boot on it. */
  readonly layout: 'own' | 'upstream';
  /** It copies itself while it is used: {@link Store.backup}. */
  readonly backup: boolean;
}

/** Which store this is: `id` is made once, when the store is created. */
export interface StoreIdentity {
  readonly kind: string;
  readonly id: string;
  readonly layoutVersion: number;
}

/** What a backup holds: keys and values, before whatever compresses them. */
export interface BackupSize {
  readonly records: number;
  readonly bytes: number;
}

export interface LogRange {
  /** First ordinal, included. Default 0. */
  readonly from?: number | undefined;
  /** Last ordinal, excluded. Default: the end of the log. */
  readonly to?: number | undefined;
  /** Most entries to read. */
  readonly limit?: number | undefined;
}

/** What a view is opened for. A store whose views keep documents in memory keeps none for the log alone. */
export type ViewUse = 'everything' | 'log';

/** One session as it stood at one moment: later commits do not show in it. Close it when done. */
export interface SessionView extends AsyncDisposable {
  readonly session: SessionId;
  readonly cursor: Cursor;
  snapshot(): Promise<Uint8Array | undefined>;
  receipt(): Promise<Uint8Array | undefined>;
  anchor(): Promise<Uint8Array | undefined>;
  /** The log entries of the range in order, in pages of bounded size. */
  log(range?: LogRange): AsyncIterable<readonly Uint8Array[]>;
  close(): Promise<void>;
}

export interface Page<Key> {
  /** Only what sorts after this key. */
  readonly after?: Key | undefined;
  readonly limit: number;
}

/** Commits plans atomically and reads back what was committed. One adapter a folder under `src/stores`. */
export interface Store extends AsyncDisposable {
  readonly identity: StoreIdentity;
  readonly capabilities: StoreCapabilities;
  /** Why it is not durable, a sentence each, where that depends on how something elsewhere is set up. */
  readonly weaknesses?: readonly string[] | undefined;

  /**
   * Applies the whole plan as one atomic step and resolves once it is durable. Nothing of it is written when a
   * position step does not start at the stored position (`POSITION_MISMATCH`) or a session's stored cursor is not
   * of the version that the change was decided on (`CURSOR_MISMATCH`). A retryable error means that the same plan
   * may be committed again; after any other the store must be opened anew.
   */
  commit(plan: Plan): Promise<void>;

  /** The cursors of the given sessions, in their order; undefined for one the store has never heard of. */
  readCursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]>;
  /** Headers of all commands parked for the session, ascending by sequence. */
  readParkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]>;
  /** The parked commands of the given sequences, in their order. A missing one is `STORE_CORRUPT`. */
  readParked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]>;
  /** Which of the given dead letters and decisions the store holds, in their order. `session` undefined: unreadable ones. */
  areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]>;
  /** Dead letters and decisions, of one session, or of all (`undefined`) including those without a session. */
  readFiled(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]>;
  /** Stored positions of the source by partition. */
  readPositions(source: SourceId): Promise<ReadonlyMap<number, StoredPosition>>;
  /** Every source that has a stored position here. */
  readSources(): Promise<readonly SourceId[]>;

  /** What the store holds, counted in the same atomic step as each commit. */
  readTotals(): Promise<StoreTotals>;

  /**
   * The session as of now, or undefined when it does not exist (unknown or deleted). Default: for everything; one that is
   * opened for its log is not to be asked for documents.
   */
  openSession(session: SessionId, use?: ViewUse): Promise<SessionView | undefined>;
  /** Ids of existing sessions in UTF-8 byte order. */
  listSessions(page: Page<SessionId>): Promise<readonly SessionId[]>;
  /** Every session the store keeps a cursor for, tombstones and unknown ones included, in UTF-8 byte order. */
  listCursors(page: Page<SessionId>): Promise<readonly (readonly [SessionId, Cursor])[]>;

  /**
   * Copies the store as of one moment, identity and positions included, into the new directory `directory`, while
   * commits go on. Resolves once the copy is durable: put into the store's place it opens, and goes on from there.
   * Until then nothing lies under that name; what an interrupted backup left beside it goes with the next one there.
   * Throws `INVALID_INPUT` where something lies already, `NOT_SUPPORTED` when the capabilities do not say `backup`,
   * `DISK_FULL`, and `STORE_CLOSED` when the store is closed meanwhile.
   */
  backup(directory: string): Promise<BackupSize>;

  /** Settles what is under way and releases everything. Idempotent. */
  close(): Promise<void>;
}

/** Finds a dead letter or decision: filed under its session, or under none. */
export interface FiledKey {
  readonly session: SessionId | undefined;
  readonly id: FiledId;
}
