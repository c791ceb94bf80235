import { type ClaimCommand, type Command, claimType, commandId } from '../domain/command.ts';
import type { Cursor } from '../domain/cursor.ts';
import type { Position } from '../domain/delivery.ts';
import { PersistenceError } from '../domain/errors.ts';
import { type Epoch, noEpoch, noSequence, type Sequence, type SessionId, type Writer } from '../domain/identifiers.ts';
import { numbered, type UnnumberedCommand } from './input-event.ts';

/** A command that is durable in the queue. */
export interface Sent {
  readonly command: Command;
  readonly position: Position;
}

/** Commands of one request: they are refused for want of room together, or not at all. */
export interface Together {
  readonly commands: number;
}

/** A command that waits for its turn. */
export interface Waiting {
  readonly draft: UnnumberedCommand | ClaimCommand;
  readonly together: Together | undefined;
  /** Bytes of its data. */
  readonly bytes: number;
  /** Called when it waits no more. */
  leave(): void;
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

/** One writer in one session: its reign, the last number that was given, and why no more can be, if so. */
export class Lane {
  readonly session: SessionId;
  readonly writer: Writer;
  /** Why nothing more can be sent. */
  failure: PersistenceError | undefined;
  #epoch: Epoch = noEpoch;
  #last: Sequence = noSequence;

  constructor(session: SessionId, writer: Writer) {
    this.session = session;
    this.writer = writer;
  }

  /** 0 before the reign has begun. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** The last number that was given, by whomever. */
  get last(): Sequence {
    return this.#last;
  }

  /** The writer reigns, as `cursor` shows. */
  begin({ epoch, last }: Cursor): void {
    this.#epoch = epoch;
    this.#last = last;
  }

  /** The claim of the session with the given epoch. */
  claim(epoch: Epoch): ClaimCommand {
    const { session, writer } = this;
    return { kind: 'claim', type: claimType, session, writer, epoch, id: commandId(session, epoch, 'claim') };
  }

  /** What is published of a draft: a claim as it is, any other command under the next number. */
  commandOf(draft: UnnumberedCommand | ClaimCommand): Command {
    if ('kind' in draft) return draft;
    if (this.#epoch === noEpoch) throw new TypeError('a session must be claimed before its commands are numbered');
    this.#last = (this.#last + 1) as Sequence;
    return numbered(draft, this.writer, this.#epoch, this.#last);
  }

  /** A command was certainly not published, nor anything after it: the number that was given last is free again. */
  takeBack(command: Command): void {
    if (command.kind === 'numbered') this.#last = (this.#last - 1) as Sequence;
  }

  /** True when `cursor` shows this writer's reign of the given epoch, with nothing in its way. */
  reignsIn({ epoch, writer, halted }: Cursor, expected = this.#epoch): boolean {
    return epoch === expected && writer === this.writer && !halted;
  }

  /** True when `cursor` shows that the reign is over, or halted; not while no command of it has been applied yet. */
  isOvertakenIn({ epoch, writer, halted }: Cursor): boolean {
    return halted || epoch > this.#epoch || (epoch === this.#epoch && writer !== this.writer);
  }

  /** True when `cursor` shows that every number given here was taken while the writer reigned, whoever reigns now. */
  isTakenIn(cursor: Cursor): boolean {
    return [...cursor.earlier, cursor].some(
      ({ epoch, writer, last }) => epoch === this.#epoch && writer === this.writer && last >= this.#last,
    );
  }

  /** What is said when `cursor` shows that the writer does not reign. */
  fenced({ epoch, writer, halted }: Cursor): PersistenceError {
    const what = halted ? 'is halted by a conflict' : `was claimed by ${writer ?? 'another writer'} (epoch ${epoch})`;
    return new PersistenceError(
      'WRITER_FENCED',
      `session ${JSON.stringify(this.session)} ${what} while it was written to: what was sent after that is in its dead letters`,
    );
  }
}
