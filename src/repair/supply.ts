import type { NumberedCommand } from '../domain/command.ts';
import type { Cursor } from '../domain/cursor.ts';
import { type Epoch, noEpoch, type Sequence, type SessionId, type Writer } from '../domain/identifiers.ts';
import { obstacleOf } from '../domain/standing.ts';

/** The number that a blocked session waits for. */
export interface OpenNumber {
  readonly sequence: Sequence;
  /** Of the present reign; undefined before the first one, which whoever sends number 1 begins. */
  readonly reign: { readonly epoch: Epoch; readonly writer: Writer } | undefined;
}

/** The open numbers of sessions, as of now: they change while commands are supplied. */
export type OpenNumbers = ReadonlyMap<SessionId, OpenNumber>;

/** Where missing commands are looked for. */
export interface Supply {
  /** Commands that sessions wait for, each looked for just before it is given: it may have changed what is open. */
  commands(open: OpenNumbers): AsyncIterable<NumberedCommand>;
}

/** The number that can be sent to free the session; undefined where it takes the next command anyway, or is halted. */
export function openNumberOf(cursor: Cursor): OpenNumber | undefined {
  const obstacle = obstacleOf(cursor);
  if (obstacle === undefined || obstacle.kind === 'halted') return undefined;
  const { epoch, writer } = cursor;
  const reign = epoch === noEpoch || writer === undefined ? undefined : { epoch, writer };
  return { sequence: obstacle.open, reign };
}

/** True when the command, as it was numbered, is what the session waits for. */
export function isOpen(
  open: OpenNumbers,
  { session, sequence, epoch, writer }: Pick<NumberedCommand, 'session' | 'sequence' | 'epoch' | 'writer'>,
): boolean {
  const wanted = open.get(session);
  if (wanted?.sequence !== sequence) return false;
  return wanted.reign === undefined || (wanted.reign.epoch === epoch && wanted.reign.writer === writer);
}
