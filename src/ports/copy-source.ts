import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { DeadLetter, FiledRecord, ParkedCommand, PositionStep } from '../domain/plan.ts';

/** Where a source stands with what it was itself filled from. */
export type SourcePosition = Pick<PositionStep, 'source' | 'partition' | 'to'>;

/** One session of a source, with all that a store keeps of it. Close it when done. */
export interface SourceSession extends AsyncDisposable {
  readonly session: SessionId;
  /** False where only something beside it is kept: what tells that it was deleted, what waits, dead letters. */
  readonly exists: boolean;
  /** Its cursor; for what upstream wrote the one that adopting it gives, for which the log has to be read. */
  cursor(): Promise<Cursor>;
  snapshot(): Promise<Uint8Array | undefined>;
  receipt(): Promise<Uint8Array | undefined>;
  anchor(): Promise<Uint8Array | undefined>;
  /** The whole log in order, in pages of bounded size. */
  log(): AsyncIterable<readonly Uint8Array[]>;
  /** Parked commands, ascending by sequence. */
  parked(): AsyncIterable<readonly ParkedCommand[]>;
  /** Dead letters and decisions, in the order of their ids. */
  filed(): AsyncIterable<readonly FiledRecord[]>;
}

/**
 * What sessions are copied from. Nothing of it is ever written to. Other processes may write to a store of ours
 * meanwhile: then each session is read as of one moment, or its reading ends with `VIEW_EXPIRED`.
 */
export interface CopySource extends AsyncDisposable {
  /** Tells it apart from every other source, without secrets: the kind, then the id of a store or its place. */
  readonly name: string;
  /** About how many sessions there are. */
  count(): Promise<number>;
  /** Every session that something is kept of, in the order of the UTF-8 bytes of their ids. */
  sessions(): AsyncIterable<SessionId>;
  /** The session as of now, or undefined when nothing is kept of it. */
  open(session: SessionId): Promise<SourceSession | undefined>;
  /** What it was filled from, and how far. Read it first: of what follows, sessions may hold more, never less. */
  positions(): Promise<readonly SourcePosition[]>;
  /** Dead letters that belong to no session. */
  withoutSession(): AsyncIterable<readonly DeadLetter[]>;
  close(): Promise<void>;
}
