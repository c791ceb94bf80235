import { type Command, commandId, type NumberedCommand, skipType } from '../domain/command.ts';
import type { Content, Refusal } from '../domain/delivery.ts';
import type { Epoch, Sequence, Writer } from '../domain/identifiers.ts';
import { encodeMessage } from '../domain/message.ts';
import type { EventAttributes } from '../domain/wire/event.ts';
import { contentOfEvent } from '../domain/wire/event-content.ts';
import { messageOfEvent } from '../domain/wire/structured.ts';
import { readStructured } from '../domain/wire/structured-event.ts';

/** A command that still has no number, no epoch and no writer of its own. */
export type UnnumberedCommand = Pick<NumberedCommand, 'session' | 'type' | 'data' | 'time' | 'traceparent'>;

/**
 * An event of an input file: what it is to be sent as, or why it cannot be sent. `misnumbered`: it carries a number
 * where none is wanted, or none where one is.
 */
export type InputEvent<Sendable> =
  | { readonly kind: 'sendable'; readonly command: Sendable }
  | { readonly kind: 'misnumbered' | 'refused'; readonly refusal: Refusal };

/** Reads an event that is sent as it is: it carries its own number and epoch, or is a claim or a decision. */
export function readNumbered(text: Uint8Array): InputEvent<Command> {
  const structured = readStructured(text);
  if ('code' in structured) return { kind: 'refused', refusal: structured };
  const { event, data } = structured;
  if (isUnnumbered(event)) {
    const message = 'the event carries neither macpsequence nor macpepoch: only --as WRITER numbers events';
    return { kind: 'misnumbered', refusal: { code: 'MISSING_ATTRIBUTE', message } };
  }
  const command = commandOf(event, contentOf(text, event, data));
  return 'code' in command ? { kind: 'refused', refusal: command } : { kind: 'sendable', command };
}

// Stands in for numbers that are not given yet, so that everything else is checked as the worker will check it.
const placeholder = Buffer.from('1', 'latin1');

/** Reads an event that `writer` will number: it carries neither a number nor an epoch. */
export function readUnnumbered(text: Uint8Array, writer: Writer): InputEvent<UnnumberedCommand> {
  const structured = readStructured(text);
  if ('code' in structured) return { kind: 'refused', refusal: structured };
  const { event, data } = structured;
  if (!isUnnumbered(event)) {
    const message =
      'the event is numbered already, or is a decision: only events that carry no number can be sent --as WRITER';
    return { kind: 'misnumbered', refusal: { code: 'MIXED_EVENTS', message } };
  }
  const refused = (refusal: Refusal): InputEvent<never> => ({ kind: 'refused', refusal });
  for (const name of ['id', 'source', 'subject'] as const) {
    if (event[name] === undefined)
      return refused({ code: 'MISSING_ATTRIBUTE', message: `the attribute ${name} is absent` });
  }
  const id = Buffer.concat([event.subject ?? placeholder, Buffer.from('/1/1', 'latin1')]);
  const numbered = {
    ...event,
    id,
    source: Buffer.from(writer, 'utf8'),
    macpsequence: placeholder,
    macpepoch: placeholder,
  };
  const command = commandOf(numbered, contentOf(text, numbered, data));
  if ('code' in command) return refused(command);
  if (command.kind !== 'numbered') return refused({ code: 'UNKNOWN_TYPE', message: `${command.type} takes no number` });
  const { session, type, time, traceparent } = command;
  return { kind: 'sendable', command: { session, type, data: command.data, time, traceparent } };
}

function isUnnumbered({ macpsequence, macpepoch, type }: EventAttributes): boolean {
  if (macpsequence !== undefined || macpepoch !== undefined) return false;
  return type === undefined || Buffer.from(type).toString('latin1') !== skipType;
}

function contentOf(text: Uint8Array, event: EventAttributes, data: Uint8Array): Content {
  return contentOfEvent(event, data, () => encodeMessage(messageOfEvent(text)));
}

function commandOf(event: EventAttributes, content: Content): Command | Refusal {
  if (content.kind === 'unreadable') return content.refusal;
  if (content.kind !== 'numbered') return content;
  if (content.refusal !== undefined) return content.refusal;
  const { session, writer, epoch, sequence, data } = content;
  const time = textOf(event.time);
  const traceparent = textOf(event.traceparent);
  // A content without a refusal is of one of the numbered types.
  const type = content.type as NumberedCommand['type'];
  return {
    kind: 'numbered',
    type,
    session,
    writer,
    epoch,
    sequence,
    data,
    id: commandId(session, epoch, sequence),
    time,
    traceparent,
  };
}

/** `command` as number `sequence` of the reign `epoch` of `writer`. */
export function numbered(
  command: UnnumberedCommand,
  writer: Writer,
  epoch: Epoch,
  sequence: Sequence,
): NumberedCommand {
  return { ...command, kind: 'numbered', writer, epoch, sequence, id: commandId(command.session, epoch, sequence) };
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined
    ? undefined
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
