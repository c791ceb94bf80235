import { type Command, commandId, type NumberedCommand } from '../../../src/domain/command.ts';
import type { Content } from '../../../src/domain/delivery.ts';
import type { Message } from '../../../src/domain/message.ts';

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
export const textOf = (value: Uint8Array): string => Buffer.from(value).toString('utf8');

/** The message with one header set to a value, removed (undefined), or added. */
export function withHeader(message: Message, name: string, value: string | Uint8Array | undefined): Message {
  const others = message.headers.filter(([header]) => header !== name);
  if (value === undefined) return { ...message, headers: others };
  return { ...message, headers: [...others, [name, typeof value === 'string' ? bytes(value) : value]] };
}

/** The command that a valid content stands for. */
export function commandOf(content: Content): Command {
  if (content.kind === 'unreadable') throw new Error(`unreadable: ${content.refusal.message}`);
  if (content.kind !== 'numbered') return content;
  if (content.refusal !== undefined) throw new Error(`refused: ${content.refusal.message}`);
  const { session, writer, epoch, sequence, data } = content;
  const id = commandId(session, epoch, sequence);
  return {
    kind: 'numbered',
    type: content.type as NumberedCommand['type'],
    session,
    writer,
    epoch,
    sequence,
    id,
    data,
  };
}

/** Kind and code of a content, for tables. */
export function verdict(content: Content): readonly [kind: string, code: string | undefined] {
  return [content.kind, 'refusal' in content ? content.refusal?.code : undefined];
}

/** A content or command with its data as a text of one character a byte, so that two compare quickly by their bytes. */
export function comparable(value: Content | Command): object {
  return 'data' in value ? { ...value, data: Buffer.from(value.data).toString('latin1') } : value;
}
