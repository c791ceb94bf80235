import type { Cursor } from './cursor.ts';
import { noEpoch, type Sequence, type SessionId } from './identifiers.ts';

/**
 * Why a session takes nothing more at present: a conflict halted it, its next number was refused, or commands wait
 * for a number that never came. `open` is that number.
 */
export interface Obstacle {
  readonly kind: 'halted' | 'refused' | 'gap';
  readonly open: Sequence;
}

/** What holds a session up, or undefined when it takes the next command. */
export function obstacleOf(cursor: Cursor): Obstacle | undefined {
  const open = (cursor.last + 1) as Sequence;
  if (cursor.halted) return { kind: 'halted', open };
  if (cursor.refused) return { kind: 'refused', open };
  return cursor.parkedCommands > 0 ? { kind: 'gap', open } : undefined;
}

/** The obstacle in a clause: "it is halted by a conflict". */
export function describeObstacle({ kind, open }: Obstacle): string {
  if (kind === 'halted') return 'it is halted by a conflict until a claim';
  return kind === 'refused' ? `number ${open} was refused and is open` : `number ${open} never came, later ones wait`;
}

/** What it takes to free a session, a sentence each, in the order in which to consider them; empty when it is free. */
export function remediesFor(session: SessionId, cursor: Cursor): readonly string[] {
  const obstacle = obstacleOf(cursor);
  if (obstacle === undefined) return [];
  if (obstacle.kind === 'halted') return [claimRemedy(cursor)];
  const remedies = [writerRemedy(cursor, obstacle)];
  // Before the first reign there is nobody in whose name something could be sent, and no epoch to decide for.
  if (cursor.epoch === noEpoch) return remedies;
  const name = shellWord(session);
  return [
    ...remedies,
    `Or send other data for number ${obstacle.open} in its writer's name: macp-persist dead-letters repair ${name} FILE --sequence ${obstacle.open} --type TYPE`,
    `Or pass number ${obstacle.open} over for good: macp-persist dead-letters skip ${name} --sequence ${obstacle.open} --by NAME --reason TEXT`,
  ];
}

function claimRemedy({ epoch, parkedCommands }: Cursor): string {
  const waiting = parkedCommands === 0 ? '' : `; the ${parkedCommands} commands that wait become dead letters (fenced)`;
  return (
    `Two different commands came under one number, so that one of its writers is wrong: look at the dead letters, then ` +
    `let a new writer claim the session with an epoch above ${epoch}, as publish --as NAME does${waiting}.`
  );
}

function writerRemedy({ epoch, writer }: Cursor, { kind, open }: Obstacle): string {
  const who = writer === undefined ? 'its first writer' : `its writer ${writer} (epoch ${epoch})`;
  return kind === 'refused'
    ? `Let ${who} send number ${open} again with data that is valid.`
    : `Let ${who} send number ${open}, or whatever may have been lost, again: what came already does no harm.`;
}

/** `text` as one word of a POSIX shell's command line. */
function shellWord(text: string): string {
  return /^[\w.,:@%+][\w.,:@%+-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
