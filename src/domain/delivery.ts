import type { ClaimCommand, NumberedType, SkipCommand } from './command.ts';
import type { Digest } from './digest.ts';
import type { ErrorCode } from './errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from './identifiers.ts';
import type { Message } from './message.ts';

/** Where a delivery stood in its source. Offsets count from 0 within a partition and never repeat. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** Why something sent was refused: a code for programs, a sentence for people. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What deciding needs to know of a log entry or array of entries, learned when the data was checked. */
export interface DataFacts {
  /** `macp.log.replace.v1`: start and end offset within `data` of each entry, flattened. */
  readonly entryBounds?: readonly number[];
  /** Largest `compacted_incoming_ordinals` of the Checkpoint entries in `data`; 0 when there is none. */
  readonly compactionBase: number;
}

/** A delivery whose session, epoch, writer and sequence can be read. With a `refusal`, it is not valid. */
export interface NumberedContent {
  readonly kind: 'numbered';
  /** One of the numbered types, or, in an invalid command, whatever stood there. */
  readonly type: NumberedType | (string & {});
  readonly session: SessionId;
  readonly writer: Writer;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly digest: Digest;
  readonly data: Uint8Array;
  readonly facts: DataFacts;
  readonly refusal: Refusal | undefined;
}

/** A delivery of which session, epoch, writer or sequence cannot be read: refused, and no session waits for it. */
export interface UnreadableContent {
  readonly kind: 'unreadable';
  readonly refusal: Refusal;
  /** Over the whole message, because nothing less tells one unreadable message from another. */
  readonly digest: Digest;
  /** Kept when at least the session was readable, so that people find the dead letter by it. */
  readonly session: SessionId | undefined;
}

/** What arrived, as far as it could be read. */
export type Content = NumberedContent | ClaimCommand | SkipCommand | UnreadableContent;

/** One command as it arrived. */
export interface Delivery {
  /** What it says. Queues read it anew each time they are asked, so that nobody holds it longer than it is needed. */
  readonly content: Content;
  readonly position: Position;
  /** The whole message as it was sent, for dead letters and parked commands; made on demand. */
  message(): Message;
}
