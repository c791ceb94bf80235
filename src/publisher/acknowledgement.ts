import type { Position } from '../domain/delivery.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Epoch, Sequence, SessionId } from '../domain/identifiers.ts';
import type { FiledId } from '../domain/plan.ts';
import type { AbortListeners } from './abort-listeners.ts';
import type { FenceWatch } from './fence-watch.ts';
import type { Lane, Sent } from './lane.ts';
import type { Outbox } from './outbox.ts';
import type { Outcomes } from './outcomes.ts';

/** One command that is durable in the queue: it will be applied unless another writer's claim stands before it. */
export interface Acknowledgement {
  readonly session: SessionId;
  readonly epoch: Epoch;
  /** The number that the command was given. */
  readonly sequence: Sequence;
  /** Where it stands in the queue. */
  readonly position: Position;
  /**
   * Resolves once the command is applied. Rejects with {@link DeadLettered} when it became a dead letter, which is
   * final, and with `ABORTED` once `signal` is aborted or the publisher closed. May be asked any number of times.
   */
  applied(signal?: AbortSignal): Promise<void>;
}

/** `DEAD_LETTERED`: a command was not applied, and is kept as a dead letter. */
export class DeadLettered extends PersistenceError {
  readonly deadLetter: FiledId;

  constructor(command: string, deadLetter: FiledId) {
    super(
      'DEAD_LETTERED',
      `command ${command} was not applied: it is kept as dead letter ${deadLetter}, with the reason`,
    );
    this.deadLetter = deadLetter;
  }
}

export interface AcknowledgingOptions {
  readonly outbox: Outbox;
  readonly outcomes: Outcomes;
  readonly fences: FenceWatch;
  readonly aborts: AbortListeners;
  /** Aborted when the publisher closes. */
  readonly closing: AbortSignal;
}

/** The acknowledgement of a numbered command that `lane` sent. */
export function acknowledgementOf(sent: Sent, lane: Lane, options: AcknowledgingOptions): Acknowledgement {
  const { command, position } = sent;
  if (command.kind !== 'numbered') throw new TypeError('only numbered commands are acknowledged');
  const { session, epoch, sequence, id } = command;
  const { outcomes, fences, aborts, closing } = options;
  const applied = (signal?: AbortSignal): Promise<void> =>
    aborts.during([signal, closing], async (either) => {
      const outcome = await outcomes.of(command, either);
      if (outcome.kind === 'applied') return;
      // A command becomes a dead letter when its writer was fenced: the next send should know.
      await fences.look(lane);
      throw new DeadLettered(id, outcome.id);
    });
  return { session, epoch, sequence, position, applied };
}
