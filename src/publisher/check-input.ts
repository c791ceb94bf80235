import type { Refusal } from '../domain/delivery.ts';
import { type ErrorCode, PersistenceError } from '../domain/errors.ts';
import type { Line } from '../domain/lines.ts';
import type { InputEvent } from './input-event.ts';

/** A line that cannot be sent, and why. */
export interface RefusedLine {
  readonly line: number;
  readonly refusal: Refusal;
}

const mostNamed = 20;

/** Lines of an input that a worker would refuse, or that cannot be sent this way. Nothing of the input was sent. */
export class InputRefused extends PersistenceError {
  /** The first of them. */
  readonly lines: readonly RefusedLine[];
  readonly total: number;

  constructor(code: ErrorCode, lines: readonly RefusedLine[], total: number) {
    const named = lines.map(({ line, refusal }) => `  line ${line}: ${refusal.code}: ${refusal.message}`);
    const rest = total > lines.length ? [`  and ${total - lines.length} more`] : [];
    const count = total === 1 ? 'one line' : `${total} lines`;
    super(code, [`${count} cannot be sent, so nothing was sent:`, ...named, ...rest].join('\n'));
    this.lines = lines;
    this.total = total;
  }
}

/** Reads a line as an event, as `read` does. */
export function readLine<Sendable>(line: Line, read: (text: Uint8Array) => InputEvent<Sendable>): InputEvent<Sendable> {
  if (line.bytes !== undefined) return read(line.bytes);
  const message = 'the line is longer than any event can be';
  return { kind: 'refused', refusal: { code: 'DATA_TOO_LARGE', message } };
}

/**
 * Reads the whole input without sending anything and resolves when every line can be sent. Throws
 * {@link InputRefused}: `MIXED_EVENTS` when some events carry numbers and some do not, else `INVALID_INPUT`.
 */
export async function checkInput(
  lines: AsyncIterable<Line>,
  read: (text: Uint8Array) => InputEvent<unknown>,
): Promise<void> {
  const named: RefusedLine[] = [];
  let total = 0;
  const seen = { sendable: false, misnumbered: false, refused: false };
  for await (const line of lines) {
    const event = readLine(line, read);
    seen[event.kind] = true;
    if (event.kind === 'sendable') continue;
    total += 1;
    if (named.length < mostNamed) named.push({ line: line.number, refusal: event.refusal });
  }
  if (total > 0)
    throw new InputRefused(seen.sendable && seen.misnumbered ? 'MIXED_EVENTS' : 'INVALID_INPUT', named, total);
}
