import { type Command, commandId } from '../command.ts';
import type { Content, Refusal } from '../delivery.ts';
import { decodeBinary, encodeBinary } from './binary.ts';
import { numberedContent } from './event-content.ts';
import { isTimestamp } from './timestamp.ts';

/**
 * What a decoded command is to the rule: its data checked, its digest made. For queues that keep commands in a form of
 * their own; the outcome is the one that `decodeBinary` has for the same command. Never throws.
 */
export function contentOf(command: Command): Content {
  if (command.kind !== 'numbered' || !isRegular(command)) return decodeBinary(encodeBinary(command));
  const { type, session, writer, epoch, sequence, data } = command;
  return numberedContent(type, session, writer, epoch, sequence, data, undefined);
}

/** True when everything that its type does not already promise holds: the long way round decides about the others. */
function isRegular({
  session,
  epoch,
  sequence,
  id,
  time,
  traceparent,
}: Extract<Command, { kind: 'numbered' }>): boolean {
  if (traceparent === '') return false;
  if (time !== undefined && !isTimestamp(Buffer.from(time, 'utf8'))) return false;
  return id === commandId(session, epoch, sequence);
}

/**
 * What a worker would refuse the command for, or undefined when it is valid. Publishers ask before they publish, so
 * that a command that was acknowledged is not refused later.
 */
export function refusalOf(command: Command): Refusal | undefined {
  // The longest way, because a caller's types may have promised too much: this is what the worker will read.
  const content = decodeBinary(encodeBinary(command));
  return 'refusal' in content ? content.refusal : undefined;
}
