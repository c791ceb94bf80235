import type { Cursor } from '../domain/cursor.ts';
import type { Position } from '../domain/delivery.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../domain/identifiers.ts';
import type { DeadLetterReason, FiledId } from '../domain/plan.ts';
import type { BackupSummary, ServiceStatus } from './service-status.ts';
import type { LogRange } from './store.ts';

export type { BackupSummary, PartitionStatus, ServiceStatus, StoreDocument, TotalsDocument } from './service-status.ts';

/** What a read waits for before it looks. All that is given must hold. */
export interface Waiting {
  /** Until this number is applied or skipped. */
  readonly sequence?: Sequence | undefined;
  /** Until this claim is applied. Throws `WRITER_FENCED` when another one of at least its epoch came first. */
  readonly claim?: { readonly epoch: Epoch; readonly writer: Writer } | undefined;
  /** Until the cursor's version is above this one. */
  readonly version?: number | undefined;
  /** `NOT_YET_APPLIED` is thrown after so many milliseconds. */
  readonly timeout: number;
}

export interface SessionQuery {
  /** Only ids that sort after this one. */
  readonly after?: SessionId | undefined;
  readonly limit: number;
  /** Only sessions whose snapshot has this state. */
  readonly state?: string | undefined;
  /** Only sessions whose snapshot has this mode. */
  readonly mode?: string | undefined;
  /** Only sessions that are halted, have a refused number open, or for which commands are parked. */
  readonly blocked?: boolean | undefined;
}

export interface SessionRow {
  readonly session_id: string;
  /** Of the snapshot; null where there is none. */
  readonly state: string | null;
  readonly mode: string | null;
  readonly last_sequence: number;
  readonly log_entries: number;
  readonly blocked: Blockage | null;
}

/** Why a session takes nothing more at present. */
export interface Blockage {
  readonly kind: 'halted' | 'refused' | 'gap';
  /** The number that is open. */
  readonly sequence: number;
  readonly parked_commands: number;
}

export interface SessionPage {
  /** May be shorter than asked for, even empty, while `next` says that there is more: a page scans only so much. */
  readonly sessions: readonly SessionRow[];
  /** The id to go on after; null at the end. */
  readonly next: string | null;
}

/** A number that was passed over, and who decided that. */
export interface SkippedNumber {
  readonly sequence: number;
  readonly epoch: number;
  readonly by: string;
  readonly reason: string;
}

/** What is known of a session besides its data. */
export interface SessionSummary {
  readonly session_id: string;
  readonly presence: 'unknown' | 'known' | 'deleted';
  readonly epoch: number;
  readonly writer: string | null;
  readonly last_sequence: number;
  readonly halted: boolean;
  readonly refused_sequence: number | null;
  readonly log_entries: number;
  readonly compaction_base: number;
  readonly has_receipt: boolean;
  readonly has_anchor: boolean;
  readonly parked: { readonly commands: number; readonly bytes: number };
  readonly dead_letters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  readonly decisions: number;
  /** Numbers that somebody decided to pass over, the latest 100 in ascending order. */
  readonly skipped: readonly SkippedNumber[];
  /** A few members of the snapshot, where there is one. */
  readonly snapshot: { readonly bytes: number; readonly state: unknown; readonly mode: unknown } | null;
  readonly blocked: Blockage | null;
  /** What it takes to free a blocked session, a sentence each; empty when it is not blocked. */
  readonly remedies: readonly string[];
}

/** An accepted message with its place among all that the session ever accepted, counted from 1. */
export interface AcceptedEntry {
  readonly ordinal: number;
  /** The log entry's JSON text. */
  readonly entry: Uint8Array;
}

/** What a follower of a log is told. After `reset` the log starts anew at entry 0: it was replaced, or deleted. */
export type FollowedEvent =
  | { readonly kind: 'entry'; readonly generation: number; readonly ordinal: number; readonly entry: Uint8Array }
  | { readonly kind: 'reset'; readonly generation: number };

/** Where to start following: the next entry to be told. `generation` undefined: of the log as it is now. */
export interface FollowPoint {
  readonly generation?: number | undefined;
  readonly ordinal: number;
}

export interface PublishRequest {
  /** Events in structured mode, JSON text each. All numbered (or claims, decisions), or all without a number. */
  readonly events: readonly Uint8Array[];
  /** Answer once durable in the queue, or once the outcome in the store is known as well. */
  readonly until: 'durable' | 'applied';
  /** Milliseconds to wait for the outcome; what is not known then is answered as `durable`. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** What became of one event: `durable` when only that is known (yet). */
export interface PublishResult {
  readonly session_id: string;
  /** CloudEvents id under which the command was published. */
  readonly id: string;
  readonly writer: string;
  readonly epoch: number | null;
  readonly sequence: number | null;
  readonly position: Position;
  readonly outcome: 'durable' | 'applied' | 'dead letter';
  /** The dead letter that it became. */
  readonly dead_letter: string | null;
}

export interface DeadLetterQuery {
  readonly session?: SessionId | undefined;
  readonly reason?: DeadLetterReason | undefined;
  readonly state?: DeadLetterState | undefined;
  /** Opaque; the `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * `open`: it holds its session up now. `resolved`: it did, and does no more. `kept`: it never held anything up and is
 * there for information.
 */
export type DeadLetterState = 'open' | 'resolved' | 'kept';

export interface DeadLetterSummary {
  readonly id: FiledId;
  readonly reason: DeadLetterReason;
  /** What was wrong, in a sentence. */
  readonly detail: string;
  /** An error code, where the delivery itself was not valid. */
  readonly code: string | null;
  readonly session_id: string | null;
  readonly writer: string | null;
  readonly epoch: number | null;
  readonly sequence: number | null;
  readonly position: Position;
  readonly state: DeadLetterState;
  /** How it was resolved, or why it holds its session up, in a sentence; null for one that is only kept. */
  readonly standing: string | null;
  /** Who decided, where somebody did. */
  readonly decided: { readonly by: string; readonly reason: string } | null;
}

export interface DeadLetterPage {
  readonly dead_letters: readonly DeadLetterSummary[];
  readonly next: string | null;
}

/** A message as it came. */
export interface KeptMessage {
  /** Null where it had none. */
  readonly key_base64: string | null;
  /** Names and values, these as latin1 text. */
  readonly headers: readonly (readonly [string, string])[];
  readonly value_base64: string;
}

/** A dead letter whole, with what it takes to free its session. */
export interface DeadLetterDetail extends DeadLetterSummary {
  readonly type: string | null;
  readonly message: KeptMessage;
  readonly remedies: readonly string[];
}

/** An operator's decision about the open number of a session. */
export interface SkipRequest {
  readonly session: SessionId;
  /** The number to pass over; refused with `NOT_OPEN` unless it is the open one. */
  readonly sequence: Sequence;
  readonly by: string;
  readonly reason: string;
}

/** Other bytes for the open number of a session, sent as its reigning writer. */
export interface RepairRequest {
  readonly session: SessionId;
  readonly sequence: Sequence;
  readonly type: string;
  readonly data: Uint8Array;
}

/**
 * Everything that people and programs do with a system. Three implement or use it alike: the one that has queue and
 * store open (`src/service`), the HTTP server in front of it, and the HTTP client. What does not exist throws
 * `SESSION_NOT_FOUND`, or `NOT_STORED` where the session has no such document.
 */
export interface Service extends AsyncDisposable {
  listSessions(query: SessionQuery): Promise<SessionPage>;
  showSession(session: SessionId): Promise<SessionSummary>;
  cursor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor>;
  snapshot(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array>;
  receipt(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array>;
  anchor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array>;
  /** Log entries in order, in pages of bounded size, as they stood at one moment. */
  log(
    session: SessionId,
    range: LogRange,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncIterable<readonly Uint8Array[]>;
  /** Log entries in order, also those to come, until `signal` is aborted. */
  follow(session: SessionId, from: FollowPoint, signal: AbortSignal): AsyncIterable<FollowedEvent>;
  /** Accepted messages above the accepted ordinal `after`. */
  incoming(
    session: SessionId,
    after: number,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncIterable<readonly AcceptedEntry[]>;
  /** The canonical dump of every session, in parts of text. */
  dump(signal?: AbortSignal): AsyncIterable<string>;

  publish(request: PublishRequest): Promise<readonly PublishResult[]>;

  listDeadLetters(query: DeadLetterQuery): Promise<DeadLetterPage>;
  /** `session` undefined: looked for in all of the store. Throws `NOT_STORED` when there is none of this id. */
  showDeadLetter(id: FiledId, session: SessionId | undefined): Promise<DeadLetterDetail>;
  skip(request: SkipRequest): Promise<PublishResult>;
  repair(request: RepairRequest): Promise<PublishResult>;
  status(): Promise<ServiceStatus>;
  /** Copies the store, as of one moment, into a new directory `name` in the place for backups. */
  backup(name: string): Promise<BackupSummary>;

  close(): Promise<void>;
}
