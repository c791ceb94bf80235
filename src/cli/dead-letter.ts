import { isUtf8 } from 'node:buffer';
import type { DeadLetterDetail, DeadLetterSummary } from '../ports/service.ts';
import { describeRows } from './rows.ts';
import { printSentence, printText } from './safe-text.ts';

/** A dead letter of a list as a line for people. */
export function describeDeadLetterRow(letter: DeadLetterSummary): string {
  const session = letter.session_id === null ? 'no session' : `session ${printText(letter.session_id)}`;
  const number = letter.sequence === null ? '' : `, number ${letter.sequence}`;
  const decided = letter.decided === null ? '' : `; decided by ${printText(letter.decided.by)}`;
  return `${letter.id}  ${letter.reason}, ${letter.state}: ${session}${number}: ${printSentence(letter.detail)}${decided}`;
}

/** A dead letter whole as lines for people; of its message only how large it is. */
export function describeDeadLetter(letter: DeadLetterDetail): readonly string[] {
  const { writer, epoch, position, decided, message } = letter;
  const bytes = Buffer.from(message.value_base64, 'base64').length;
  return describeRows([
    ['dead letter', letter.id],
    ['reason', `${letter.reason}${letter.code === null ? '' : ` (${letter.code})`}`],
    ['detail', printSentence(letter.detail)],
    ['state', letter.standing === null ? letter.state : `${letter.state}: ${printSentence(letter.standing)}`],
    ['session', printed(letter.session_id)],
    ['writer', epoch === null ? printed(writer) : `${printed(writer)}, epoch ${epoch}`],
    ['number', letter.sequence === null ? 'none' : String(letter.sequence)],
    ['type', printed(letter.type)],
    ['position', `partition ${position.partition}, offset ${position.offset}`],
    ['decided', decided === null ? 'nobody' : `by ${printText(decided.by)}: ${printSentence(decided.reason)}`],
    ['key', describeKey(message.key_base64)],
    ['message', `${bytes} bytes (--data prints them)`],
    ...message.headers.map(([name, value]) => ['headers', `${printText(name)}: ${printText(value)}`] as const),
    ...letter.remedies.map((remedy) => ['to free it', printSentence(remedy)] as const),
  ]);
}

/** A key that is no text as base64. */
function describeKey(base64: string | null): string {
  if (base64 === null) return 'none';
  const bytes = Buffer.from(base64, 'base64');
  return isUtf8(bytes) ? printText(bytes.toString('utf8')) : `${base64} (base64)`;
}

function printed(text: string | null): string {
  return text === null ? 'none that can be read' : printText(text);
}
