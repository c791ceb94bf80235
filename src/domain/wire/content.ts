import { type Command, commandId, type NumberedCommand, type NumberedType, numberedTypes } from '../command.ts';
import type { Content, NumberedContent, Refusal } from '../delivery.ts';
import { commandDigest } from '../digest.ts';
import { checkData, noFacts } from '../documents/check-data.ts';
import {
  type Epoch,
  type Sequence,
  type SessionId,
  sessionIdProblem,
  type Writer,
  writerProblem,
} from '../identifiers.ts';
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
function isRegular({ session, epoch, sequence, id, time, traceparent }: NumberedCommand): boolean {
  if (traceparent === '') return false;
  if (time !== undefined && !isTimestamp(Buffer.from(time, 'utf8'))) return false;
  return id === commandId(session, epoch, sequence);
}

/** True for a numbered command of which nothing but the data can be refused, whatever its caller's types promised. */
function isAsTyped(command: Command): command is NumberedCommand {
  return (
    command.kind === 'numbered' &&
    typeof command.session === 'string' &&
    sessionIdProblem(command.session) === undefined &&
    typeof command.writer === 'string' &&
    writerProblem(command.writer) === undefined &&
    isCount(command.epoch) &&
    isCount(command.sequence) &&
    isOptionalText(command.time) &&
    isOptionalText(command.traceparent) &&
    command.data instanceof Uint8Array &&
    numberedTypes.includes(command.type) &&
    isRegular(command)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

/** What a check before publishing found. */
export interface PublishCheck {
  /** What a worker would refuse the command for, or undefined when it is valid. */
  readonly refusal: Refusal | undefined;
  /** True when {@link plainContent} is the command's content: it is valid, compact, and tells no facts. */
  readonly isPlain: boolean;
}

const plain: PublishCheck = { refusal: undefined, isPlain: true };
const valid: PublishCheck = { refusal: undefined, isPlain: false };

/**
 * Checks a command as a worker will. Publishers ask before they publish, so that a command that was acknowledged is
 * not refused later; a queue that keeps the answer with the command need not check it again.
 */
export function checkCommand(command: Command): PublishCheck {
  // The short way for what publishers nearly always send: only the data is left to be checked, and no digest is made.
  if (isAsTyped(command)) {
    const { data, facts, refusal } = checkData(command.type, command.session, command.data);
    if (refusal !== undefined) return { refusal, isPlain: false };
    return data === command.data && facts === noFacts ? plain : valid;
  }
  // The longest way, because a caller's types may have promised too much: this is what the worker will read.
  const content = decodeBinary(encodeBinary(command));
  const refusal = 'refusal' in content ? content.refusal : undefined;
  return refusal === undefined ? valid : { refusal, isPlain: false };
}

/** What a worker would refuse the command for, or undefined when it is valid. */
export function refusalOf(command: Command): Refusal | undefined {
  return checkCommand(command).refusal;
}

/** The content of a command that {@link checkCommand} found plain: only its digest is left to be made. */
export function plainContent(
  type: NumberedType,
  session: SessionId,
  writer: Writer,
  epoch: Epoch,
  sequence: Sequence,
  data: Uint8Array,
): NumberedContent {
  const digest = commandDigest(type, data);
  return { kind: 'numbered', type, session, writer, epoch, sequence, digest, data, facts: noFacts, refusal: undefined };
}
