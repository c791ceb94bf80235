import type { Brand } from './brand.ts';
import type { Cursor } from './cursor.ts';
import type { Position, Refusal } from './delivery.ts';
import type { Digest } from './digest.ts';
import type { ErrorCode } from './errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from './identifiers.ts';

/** Names a source of positions: one incarnation of one queue, topic or file. */
export type SourceId = Brand<string, 'SourceId'>;
/** Names a dead letter or an applied decision: 32 hexadecimal characters, derived from its content. */
export type FiledId = Brand<string, 'FiledId'>;

/** How far a store has consumed a partition: the next offset, and the digest of the record just before it. */
export interface StoredPosition {
  readonly next: number;
  /** SHA-256 of that record as the source keeps it; tells a source with another history apart. */
  readonly digest: Digest;
}

/** One partition's part of a commit: it counts only if the stored position is `from`. */
export interface PositionStep {
  readonly source: SourceId;
  readonly partition: number;
  readonly from: StoredPosition | undefined;
  readonly to: StoredPosition;
}

/** What the rule needs to know of a parked command without its message. */
export interface ParkedHeader {
  readonly sequence: Sequence;
  readonly epoch: Epoch;
  readonly writer: Writer;
  readonly digest: Digest;
  /** Bytes of data. */
  readonly bytes: number;
  /** What it will be refused for at its turn; undefined for a valid command. */
  readonly refusal: ErrorCode | undefined;
}

/** A command that waits because an earlier one is missing or refused. */
export interface ParkedCommand extends ParkedHeader {
  readonly position: Position;
  /** The whole message, as `encodeMessage` writes it. */
  readonly message: Uint8Array;
}

export const deadLetterReasons = [
  'refused',
  'fenced',
  'unclaimed',
  'conflict',
  'skipped',
  'overflow',
  'stale decision',
] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** A refused delivery, kept whole with its reason until a person decides. */
export interface DeadLetter {
  readonly kind: 'dead letter';
  readonly id: FiledId;
  readonly reason: DeadLetterReason;
  /** What was wrong, in a sentence; with a code where the delivery itself was not valid. */
  readonly detail: string;
  readonly refusal: Refusal | undefined;
  readonly session: SessionId | undefined;
  readonly epoch: Epoch | undefined;
  readonly writer: Writer | undefined;
  readonly sequence: Sequence | undefined;
  readonly position: Position;
  /** The whole message, as `encodeMessage` writes it. */
  readonly message: Uint8Array;
}

/** An operator's decision that took effect, kept so that people see who decided and a redelivery is known. */
export interface Decision {
  readonly kind: 'decision';
  readonly id: FiledId;
  readonly session: SessionId;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly by: string;
  readonly reason: string;
  readonly position: Position;
}

export type FiledRecord = DeadLetter | Decision;

/** Entries to add to a log; with `reset`, the log starts anew with them. */
export interface LogChange {
  readonly reset: boolean;
  readonly entries: readonly Uint8Array[];
  /** True when the log was deleted and nothing was put in its place since, not even a log without entries. */
  readonly removed?: boolean | undefined;
}

/** A new value, or `'remove'`. */
export type Replacement = Uint8Array | 'remove';

/** Everything a commit does to one session, folded: only the last of several snapshots is in it. */
export interface SessionChange {
  readonly session: SessionId;
  /** The cursor this change was decided on; undefined when the store had none. */
  readonly before: Cursor | undefined;
  readonly after: Cursor;
  readonly log: LogChange | undefined;
  readonly snapshot: Replacement | undefined;
  readonly receipt: Replacement | undefined;
  readonly anchor: Replacement | undefined;
  readonly parked: readonly ParkedCommand[];
  /**
   * Sequences of commands that were parked before this commit and are so no more. Taken out before `parked` is put in:
   * one sequence may stand in both.
   */
  readonly unparked: readonly Sequence[];
  readonly filed: readonly FiledRecord[];
}

/** How the deliveries of a batch were decided, counted. */
export interface Tally {
  readonly applied: number;
  readonly duplicates: number;
  readonly parked: number;
  readonly drained: number;
  readonly claimed: number;
  readonly skipped: number;
  readonly deadLetters: Readonly<Record<DeadLetterReason, number>>;
}

/** One atomic store step. */
export interface Plan {
  readonly changes: readonly SessionChange[];
  /** Dead letters of deliveries whose session could not be read. */
  readonly unreadable: readonly DeadLetter[];
  readonly positions: readonly PositionStep[];
  readonly tally: Tally;
}
