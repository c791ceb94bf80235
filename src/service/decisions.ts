import {
  commandId,
  type NumberedCommand,
  type NumberedType,
  numberedTypes,
  type SkipCommand,
  skipType,
} from '../domain/command.ts';
import { type Cursor, initialCursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import { noEpoch, type Sequence, type SessionId, type Writer } from '../domain/identifiers.ts';
import type { DeadLetterReason } from '../domain/plan.ts';
import { filedId } from '../domain/rule/filed-id.ts';
import { describeObstacle, obstacleOf } from '../domain/standing.ts';
import { contentOf, refusalOf } from '../domain/wire/content.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { PublishResult, RepairRequest, Service, SkipRequest } from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import { Outcomes } from '../publisher/outcomes.ts';
import { readFiledRecord } from '../read-side/filed-record.ts';
import { publishResult, within } from './publish-result.ts';

/** What an operator decided, once it is durable in the queue; never any data. */
export interface Decided {
  readonly kind: 'skip' | 'repair';
  /** Who said to decide and why; only a skip tells. */
  readonly by: string | undefined;
  readonly reason: string | undefined;
  /** Type of the command that was sent. */
  readonly type: string;
  readonly result: PublishResult;
}

export interface DecisionsOptions {
  readonly store: Pick<Store, 'readFiled'>;
  readonly queue: Pick<Queue, 'publish'>;
  /** Of the same store, in which the queue's commands are applied. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
  /** CloudEvents `source` of the decisions made here. */
  readonly source: Writer;
  /** A fresh UUID, for each decision. */
  readonly newId: () => string;
  /** Milliseconds to wait for the outcome; what is not known then is answered as `durable`. */
  readonly timeout: number;
  /** Told of every decision, for the record of who decided what. */
  readonly onDecided: (decided: Decided) => void;
}

/** A decision that came too late: it is a dead letter now, and had no other effect than its reason tells. */
class DecisionTooLate extends PersistenceError {
  readonly results: readonly [PublishResult];

  constructor(result: PublishResult, reason: DeadLetterReason | undefined) {
    const effect =
      reason === 'conflict'
        ? 'a conflict with what took the number meanwhile, which halts the session until a claim'
        : 'and nothing changed';
    super(
      'DEAD_LETTERED',
      `number ${result.sequence} of session ${JSON.stringify(result.session_id)} was not open any more: the decision ` +
        `became dead letter ${result.dead_letter}, ${effect}`,
    );
    this.results = [result];
  }
}

/**
 * Decides about the open number of a blocked session, see {@link Service}. Decisions are commands on the queue like all
 * others: whether one counts is settled in its turn, and in the same way by every replay. Throws `NOT_OPEN` where the
 * number is not the open one as of now, and {@link DecisionTooLate} where it was not any more in the decision's turn.
 * Decisions about one session are made one after another: of two repairs at once the second would halt it.
 */
export class Decisions implements Pick<Service, 'skip' | 'repair'> {
  readonly #options: DecisionsOptions;
  readonly #outcomes: Outcomes;
  /** The latest decision about each session, until its outcome is known or was waited for long enough. */
  readonly #latest = new Map<SessionId, Promise<unknown>>();

  constructor(options: DecisionsOptions) {
    this.#options = options;
    this.#outcomes = new Outcomes(options);
  }

  async skip({ session, sequence, by, reason }: SkipRequest): Promise<PublishResult> {
    if (by.trim() === '' || reason.trim() === '') {
      throw new PersistenceError('INVALID_REQUEST', 'a skip needs the name of who decided, and a reason');
    }
    return await this.#afterOthers(session, async () => {
      const { epoch } = await this.#whereOpen(session, sequence);
      const { source, newId } = this.#options;
      const decision = { sequence, epoch, by, reason };
      const data = Buffer.from(JSON.stringify(decision), 'utf8');
      const command: SkipCommand = { kind: 'skip', type: skipType, session, source, id: newId(), decision, data };
      return await this.#decide(command, { kind: 'skip', by, reason });
    });
  }

  /**
   * Throws what a worker would refuse the data for, with nothing sent. The writer itself must not send its number
   * meanwhile: two different commands under one number are a conflict.
   */
  async repair({ session, sequence, type, data }: RepairRequest): Promise<PublishResult> {
    if (!isNumberedType(type)) {
      throw new PersistenceError('UNKNOWN_TYPE', `type ${JSON.stringify(type)} is none of those that carry a number`);
    }
    return await this.#afterOthers(session, async () => {
      const { epoch, writer } = await this.#whereOpen(session, sequence);
      const id = commandId(session, epoch, sequence);
      const command: NumberedCommand = { kind: 'numbered', type, session, writer, epoch, sequence, id, data };
      return await this.#decide(command, { kind: 'repair', by: undefined, reason: undefined });
    });
  }

  async #afterOthers(session: SessionId, decide: () => Promise<PublishResult>): Promise<PublishResult> {
    const earlier = this.#latest.get(session) ?? Promise.resolve();
    const turn = earlier.then(decide, decide);
    this.#latest.set(session, turn);
    try {
      return await turn;
    } finally {
      if (this.#latest.get(session) === turn) this.#latest.delete(session);
    }
  }

  /** The reign in which `sequence` is the open number. */
  async #whereOpen(
    session: SessionId,
    sequence: Sequence,
  ): Promise<Pick<Cursor, 'epoch'> & { readonly writer: Writer }> {
    const [cursor = initialCursor] = await this.#options.watch.cursors([session]);
    const { epoch, writer } = cursor;
    const obstacle = obstacleOf(cursor);
    const isOpen = obstacle !== undefined && obstacle.kind !== 'halted' && obstacle.open === sequence;
    if (isOpen && epoch !== noEpoch && writer !== undefined) return { epoch, writer };
    const why =
      obstacle === undefined
        ? `it is not blocked, and stands at number ${cursor.last}`
        : epoch === noEpoch
          ? 'it has no writer yet, in whose reign one could decide'
          : describeObstacle(obstacle);
    throw new PersistenceError(
      'NOT_OPEN',
      `number ${sequence} of session ${JSON.stringify(session)} cannot be decided about: ${why}`,
    );
  }

  async #decide(
    command: SkipCommand | NumberedCommand,
    decided: Pick<Decided, 'kind' | 'by' | 'reason'>,
  ): Promise<PublishResult> {
    const { queue, clock, timeout, onDecided } = this.#options;
    const refusal = refusalOf(command);
    if (refusal !== undefined) throw new PersistenceError(refusal.code, refusal.message);
    await this.#refuseRepetition(command);
    const [position] = await queue.publish([command]);
    if (position === undefined) throw new TypeError('a queue answers with a position for every command');
    let result = publishResult(command, position);
    try {
      const outcome = await within(timeout, clock, undefined, (signal) => this.#outcomes.of(command, signal));
      result = publishResult(command, position, outcome);
    } finally {
      onDecided({ ...decided, type: command.type, result });
    }
    if (result.outcome === 'dead letter') throw new DecisionTooLate(result, await this.#reasonOf(command));
    return result;
  }

  /** Why the command is a dead letter. */
  async #reasonOf(command: SkipCommand | NumberedCommand): Promise<DeadLetterReason | undefined> {
    const key = { session: command.session, id: filedId(contentOf(command)) };
    const record = await readFiledRecord(this.#options.store, key);
    return record?.kind === 'dead letter' ? record.reason : undefined;
  }

  /** What is a dead letter already would be a duplicate of that, and change nothing. */
  async #refuseRepetition(command: SkipCommand | NumberedCommand): Promise<void> {
    const { session } = command;
    const id = filedId(contentOf(command));
    const [isFiled] = await this.#options.watch.areFiled([{ session, id }]);
    if (isFiled !== true) return;
    throw new PersistenceError(
      'DEAD_LETTERED',
      `this very command is dead letter ${id} already: sent again it would change nothing. Repair the number with ` +
        'other data, or skip it',
    );
  }
}

function isNumberedType(type: string): type is NumberedType {
  return numberedTypes.some((known) => known === type);
}
