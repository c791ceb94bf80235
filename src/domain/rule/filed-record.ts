import type { SkipCommand } from '../command.ts';
import type { Content, Delivery, Position } from '../delivery.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';
import { decodeMessage, encodeMessage } from '../message.ts';
import type { DeadLetter, Decision, ParkedCommand } from '../plan.ts';
import { decodeBinary } from '../wire/binary.ts';
import type { DeadLetterOutcome } from './decide.ts';
import { filedId } from './filed-id.ts';

/** A parked command as it is delivered again. */
export function deliveryOfParked({ position, message }: ParkedCommand): Delivery {
  const whole = decodeMessage(message);
  return { content: decodeBinary(whole), position, message: () => whole };
}

/** The dead letter of a delivery, kept whole. */
export function deadLetterOf(
  delivery: Delivery,
  { reason, detail }: Pick<DeadLetterOutcome, 'reason' | 'detail'>,
): DeadLetter {
  const { content, position } = delivery;
  return {
    kind: 'dead letter',
    id: filedId(content),
    reason,
    detail,
    refusal: 'refusal' in content ? content.refusal : undefined,
    session: content.session,
    ...reignOf(content),
    position,
    message: encodeMessage(delivery.message()),
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
