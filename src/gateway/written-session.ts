import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError, toPersistenceError } from '../domain/errors.ts';
import { type Epoch, noSequence, type Sequence, type SessionId, type Writer } from '../domain/identifiers.ts';
import type { SessionView, Store } from '../ports/store.ts';
import { claimSession } from '../publisher/claim-session.ts';
import type { CursorReader } from '../publisher/cursor-reader.ts';
import type { FenceWatch } from '../publisher/fence-watch.ts';
import type { UnnumberedCommand } from '../publisher/input-event.ts';
import { Lane, type Sent } from '../publisher/lane.ts';
import type { Outbox } from '../publisher/outbox.ts';
import type { Outcomes } from '../publisher/outcomes.ts';
import { Turns } from '../turns/turns.ts';
import type { Attempt } from './attempt.ts';
import type { DocumentKind } from './keys.ts';
import { type Refused, refused, type Write } from './operations.ts';
import { absent, type Standing, standingAfter, standingOf } from './standing.ts';
import { notSent, type WriteOutcome } from './write-outcome.ts';

/** By what the sessions of a reign are written and read. */
export interface SessionMeans {
  readonly writer: Writer;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly cursors: CursorReader;
  readonly fences: FenceWatch;
  /** There where a durable command may still be fenced: it counts only once it is applied. */
  readonly outcomes: Outcomes | undefined;
  /** Aborted when the reign is over: what waits for its turn is taken back. */
  readonly over: AbortSignal;
  /** What a failed publish means: see {@link WriteOutcome}. */
  outcomeOf(error: PersistenceError): WriteOutcome;
}

const firstEpoch = 1 as Epoch;

/** One session, as one writer writes it: in the order of the calls, each without waiting for those before. */
export class WrittenSession {
  readonly #means: SessionMeans;
  readonly #lane: Lane;
  readonly #turns = new Turns();
  /** Writes that wait for their turn, or have it. */
  #asked = 0;
  /** Writes of which it is not known yet whether they are durable. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** As of the last write that is durable; undefined until the writer reigns. */
  #standing: Standing | undefined;
  /** The last number that is durable, and the last one that was seen applied, or never will be. */
  #durable: Sequence = noSequence;
  #reached: Sequence = noSequence;

  constructor(session: SessionId, means: SessionMeans) {
    this.#means = means;
    this.#lane = new Lane(session, means.writer);
  }

  /** Makes the writer reign, as the first write will need it to. */
  async prepare(): Promise<void> {
    await this.#turns.take(() => this.#open());
  }

  /** Sends a write in its turn, unless `attempt` is given up before. */
  async write(write: Write, command: UnnumberedCommand, attempt: Attempt): Promise<WriteOutcome> {
    this.#asked += 1;
    const turn = this.#turns.take(() => this.#begin(write, command, attempt));
    const begun = await turn.finally(() => {
      this.#asked -= 1;
    });
    return 'outcome' in begun ? await begun.outcome : begun;
  }

  /** Resolves once everything that was written before is applied, or is known never to be. */
  async reached(signal: AbortSignal): Promise<void> {
    // A claim alone changes nothing that can be read: nobody waits for it.
    const before = this.#asked === 0 ? this.#underWay : await this.#turns.take(async () => [...this.#underWay]);
    await Promise.all(before);
    await this.#untilApplied(signal);
  }

  /**
   * Lets go of it where all that was written can be read, nothing is asked for, and nothing speaks against writing more:
   * then true, and it is not to be used any more.
   */
  forget(): boolean {
    const isApplied = this.#underWay.size === 0 && this.#durable === this.#reached;
    const isAtRest = isApplied && this.#turns.areIdle && this.#lane.failure === undefined;
    if (isAtRest) this.#means.fences.forget(this.#lane);
    return isAtRest;
  }

  /** A result is wrapped: a promise that an async function returned would be awaited, and hold the next turn up. */
  async #begin(
    write: Write,
    command: UnnumberedCommand,
    attempt: Attempt,
  ): Promise<WriteOutcome | { readonly outcome: Promise<WriteOutcome> }> {
    if (attempt.isGivenUp || this.#means.over.aborted) return notSent();
    if (write.kind === 'delete') return await this.#beginDeletion(write, command, attempt);
    const problem = (await this.#open()) ?? (await this.#problemOf(write));
    if (problem !== undefined) return problem;
    return this.#send(write, command, attempt);
  }

  /** What does not exist is deleted without a command: to claim it would make a tombstone of it. */
  async #beginDeletion(
    write: Write,
    command: UnnumberedCommand,
    attempt: Attempt,
  ): Promise<WriteOutcome | { readonly outcome: Promise<WriteOutcome> }> {
    const removed = await this.#documents();
    if (removed === undefined) return { kind: 'written', before: absent, removed: new Set() };
    const problem = await this.#open();
    return problem ?? this.#send(write, command, attempt, removed);
  }

  #send(
    write: Write,
    command: UnnumberedCommand,
    attempt: Attempt,
    removed?: ReadonlySet<DocumentKind>,
  ): WriteOutcome | { readonly outcome: Promise<WriteOutcome> } {
    if (!attempt.send()) return notSent();
    const durable = this.#means.outbox.put(this.#lane, command, this.#means.over).then((sent) => {
      const before = this.#standing ?? absent;
      this.#standing = standingAfter(before, write);
      if (sent.command.kind === 'numbered') this.#durable = sent.command.sequence;
      return { sent, before };
    });
    const settled = durable.finally(() => this.#underWay.delete(settled)).catch(() => undefined);
    this.#underWay.add(settled);
    this.#means.fences.noteSent(this.#lane);
    const outcome = durable.then(
      ({ sent, before }) => this.#acknowledged(sent, { kind: 'written', before, removed }),
      (error: unknown) => this.#means.outcomeOf(toPersistenceError(error)),
    );
    return { outcome };
  }

  /** `written` once that is certain of the durable command. */
  async #acknowledged({ command }: Sent, written: WriteOutcome): Promise<WriteOutcome> {
    const { outcomes, outbox, over } = this.#means;
    if (outcomes === undefined) return written;
    try {
      const outcome = await outcomes.of(command, over);
      if (outcome.kind === 'applied') return written;
      const because = `command ${command.id} was not applied: it is kept as dead letter ${outcome.id}`;
      // Whoever wrote here as well did so without the writer's knowledge: it must not go on from what it remembers.
      outbox.fail(this.#lane, new PersistenceError('WRITER_FENCED', because));
      return refused(because);
    } catch (error) {
      return { kind: 'open', because: toPersistenceError(error).message };
    }
  }

  /** Makes the writer reign, if it does not yet. Why it cannot, if so: nothing was written then. */
  async #open(): Promise<Refused | undefined> {
    if (this.#standing !== undefined) return undefined;
    try {
      this.#standing = standingOf(await this.#claimed());
      return undefined;
    } catch (error) {
      return refused(`nothing was written: ${toPersistenceError(error).message}`);
    }
  }

  /** The cursor that the writer goes on from. A session that nobody has written to yet needs no claim. */
  async #claimed(): Promise<Cursor> {
    const { cursors, outbox, over: signal } = this.#means;
    const lane = this.#lane;
    const cursor = await cursors.read(lane.session, signal);
    if (cursor.version === 0) {
      lane.begin({ ...cursor, epoch: firstEpoch });
      return cursor;
    }
    const reigns = cursor.writer === lane.writer;
    if (!reigns && cursor.earlier.every(({ writer }) => writer !== lane.writer)) {
      return await claimSession(lane, { outbox, cursors, signal, mayHaveReigned: true });
    }
    // It was written to in this reign, and forgotten since: that goes on where it was, unless somebody came between.
    if (!reigns || cursor.halted) throw lane.fenced(cursor);
    lane.begin(cursor);
    return cursor;
  }

  /** A receipt or an anchor has no effect on a session that does not exist: then it must not be acknowledged. */
  async #problemOf({ kind, session }: Write): Promise<Refused | undefined> {
    if (kind !== 'receipt' && kind !== 'anchor') return undefined;
    await Promise.all(this.#underWay);
    if (this.#standing?.exists === true) return undefined;
    return refused(`session ${JSON.stringify(session)} does not exist: its ${kind} would be kept of nothing`);
  }

  /** Which documents the session has, after all writes before; undefined when it does not exist. */
  async #documents(): Promise<ReadonlySet<DocumentKind> | undefined> {
    await Promise.all(this.#underWay);
    await this.#untilApplied(this.#means.over);
    await using view = await this.#means.store.openSession(this.#lane.session);
    return view === undefined ? undefined : await documentsOf(view);
  }

  async #untilApplied(signal: AbortSignal): Promise<void> {
    const target = this.#durable;
    const lane = this.#lane;
    if (target <= this.#reached) return;
    const isReached = (cursor: Cursor): boolean => cursor.last >= target || lane.isOvertakenIn(cursor);
    await this.#means.cursors.until(lane.session, isReached, signal);
    this.#reached = target;
  }
}

/** Which documents a session has in Redis' eyes: an empty log is none. */
export async function documentsOf(view: SessionView): Promise<ReadonlySet<DocumentKind>> {
  const found = new Set<DocumentKind>();
  if ((await view.snapshot()) !== undefined) found.add('session');
  if (view.cursor.entries > 0) found.add('log');
  if (view.cursor.hasReceipt) found.add('receipt');
  if (view.cursor.hasAnchor) found.add('anchor');
  return found;
}
