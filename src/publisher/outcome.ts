import { type Cursor, earlierReign, isSkipped, rememberedDigest } from '../domain/cursor.ts';
import type { Content, NumberedContent } from '../domain/delivery.ts';
import { shortDigest } from '../domain/digest.ts';
import type { FiledId, FiledRecord } from '../domain/plan.ts';
import { filedId } from '../domain/rule/filed-id.ts';

/** What became of a command: it took effect (once, however often it was sent), or it became this dead letter. */
export type CommandOutcome = { readonly kind: 'applied' } | { readonly kind: 'dead letter'; readonly id: FiledId };

const applied: CommandOutcome = { kind: 'applied' };

/**
 * What became of a command, by the cursor of its session and by what is filed under the command's {@link filedId}, read
 * when the cursor was or later. `undefined`: it is still on its way, or waits in the store.
 *
 * Only its record tells of a decision whether it took effect: of several about one number, one does, and the cursor
 * does not say which. A number that its own reign covers was applied unless a dead letter says otherwise: what the rule calls a duplicate
 * counts as what it repeats. A number beyond the end of its reign will be filed as fenced once it arrives.
 */
export function outcomeOf(
  content: Content,
  cursor: Cursor,
  filed: FiledRecord['kind'] | undefined,
): CommandOutcome | undefined {
  if (filed === 'dead letter') return { kind: 'dead letter', id: filedId(content) };
  if (filed === 'decision') return applied;
  switch (content.kind) {
    case 'numbered':
      return isCovered(content, cursor) && !isContradicted(content, cursor) ? applied : undefined;
    case 'claim':
      return reignOf(content, cursor) === undefined ? undefined : applied;
    case 'skip':
    case 'unreadable':
      return undefined;
  }
}

/**
 * True when the number was skipped or has taken other bytes than these: the command is going to be a dead letter. What
 * shows this is forgotten after a while, and then nothing but the dead letter tells.
 */
export function isContradicted(content: Content, cursor: Cursor): boolean {
  if (content.kind !== 'numbered' || !isPresent(content, cursor) || content.sequence > cursor.last) return false;
  if (content.sequence < cursor.first || isSkipped(cursor, content.sequence)) return true;
  const known = rememberedDigest(cursor, content.sequence);
  return known !== undefined && known !== shortDigest(content.digest);
}

function isCovered(content: NumberedContent, cursor: Cursor): boolean {
  const reign = reignOf(content, cursor);
  return reign !== undefined && reign.first <= content.sequence && content.sequence <= reign.last;
}

type Reigning = Pick<NumberedContent, 'epoch' | 'writer'>;

function isPresent({ epoch, writer }: Reigning, cursor: Cursor): boolean {
  return epoch === cursor.epoch && writer === cursor.writer;
}

function reignOf(content: Reigning, cursor: Cursor): { readonly first: number; readonly last: number } | undefined {
  return isPresent(content, cursor) ? cursor : earlierReign(cursor, content.epoch, content.writer);
}
