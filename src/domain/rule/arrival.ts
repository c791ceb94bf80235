import type { SkipCommand } from '../command.ts';
import type { Content, Delivery, Position } from '../delivery.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';
import { decodeMessage, encodeMessage } from '../message.ts';
import type { DeadLetter, Decision, ParkedCommand } from '../plan.ts';
import { decodeBinary } from '../wire/binary.ts';
import type { DeadLetterOutcome } from './decide.ts';
import { filedId } from './filed-id.ts';

/** A delivery, or a parked command delivered again. Its message is encoded only where it has to be kept. */
export interface Arrival<Kind extends Content = Content> {
  readonly content: Kind;
  readonly position: Position;
  encodedMessage(): Uint8Array;
}

export function arrivalOfDelivery(delivery: Delivery): Arrival {
  const { content, position } = delivery;
  return { content, position, encodedMessage: () => encodeMessage(delivery.message()) };
}

export function arrivalOfParked(command: ParkedCommand): Arrival {
  const { position, message } = command;
  return { content: decodeBinary(decodeMessage(message)), position, encodedMessage: () => message };
}

/** The dead letter of an arrival, kept whole. */
export function deadLetterOf(
  arrival: Arrival,
  { reason, detail }: Pick<DeadLetterOutcome, 'reason' | 'detail'>,
): DeadLetter {
  const { content, position } = arrival;
  return {
    kind: 'dead letter',
    id: filedId(content),
    reason,
    detail,
    refusal: 'refusal' in content ? content.refusal : undefined,
    session: content.session,
    ...reignOf(content),
    position,
    message: arrival.encodedMessage(),
  };
}

/** The record of a decision that took effect. */
export function decisionOf(content: SkipCommand, position: Position): Decision {
  const { epoch, sequence, by, reason } = content.decision;
  return { kind: 'decision', id: filedId(content), session: content.session, epoch, sequence, by, reason, position };
}

function reignOf(content: Content): {
  readonly epoch: Epoch | undefined;
  readonly writer: Writer | undefined;
  readonly sequence: Sequence | undefined;
} {
  switch (content.kind) {
    case 'numbered':
      return { epoch: content.epoch, writer: content.writer, sequence: content.sequence };
    case 'claim':
      return { epoch: content.epoch, writer: content.writer, sequence: undefined };
    case 'skip':
      return { epoch: content.decision.epoch, writer: content.source, sequence: content.decision.sequence };
    case 'unreadable':
      return { epoch: undefined, writer: undefined, sequence: undefined };
  }
}
