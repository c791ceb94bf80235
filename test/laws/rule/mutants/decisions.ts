import { cursor, decide, draft, type Mutant, mutant, planner } from './mutant.ts';

/** Row 3: claims. */
export const claims: readonly Mutant[] = [
  mutant(decide, 'the present claim is a duplicate', 'if (present || earlierReign', 'if (earlierReign'),
  mutant(
    decide,
    'an earlier claim is a duplicate',
    'present || earlierReign(cursor, content.epoch, content.writer) !== undefined',
    'present',
  ),
  mutant(
    decide,
    'a claim has to be above the epoch',
    'content.epoch > cursor.epoch ? claim',
    'content.epoch >= cursor.epoch ? claim',
  ),
  mutant(planner, 'a claim fences what waits', 'if (!this.#fenceParked(draft)) return;', ''),
  mutant(draft, 'a claim ends a reign', 'cursor.earlier = withEndedReign(cursor);', ''),
  mutant(draft, 'a new writer starts after the last number', 'cursor.first = (cursor.last + 1) as Sequence;', ''),
  mutant(draft, 'a claim forgets skipped numbers', 'cursor.skipped = [];', ''),
  mutant(draft, 'a claim ends a halt', 'cursor.halted = false;', ''),
  mutant(
    draft,
    'a claim forgets a refused number',
    'cursor.halted = false;\n    cursor.refused = false;',
    'cursor.halted = false;',
  ),
  mutant(
    cursor,
    'another writer of an earlier epoch has no reign',
    'reign.epoch === epoch && reign.writer === writer',
    'reign.epoch === epoch',
  ),
  mutant(
    cursor,
    'a merged reign stands for every epoch up to its own',
    '? epoch <= reign.epoch',
    '? epoch === reign.epoch',
  ),
  mutant(
    cursor,
    'at most 16 earlier reigns are kept',
    'reigns.length <= wireLimits.earlierReigns',
    'reigns.length <= wireLimits.earlierReigns + 1',
  ),
  mutant(cursor, 'a merged reign starts where the oldest started', 'first: oldest.first', 'first: second.first'),
  mutant(cursor, 'a merged reign ends where the younger ended', 'last: second.last', 'last: oldest.last'),
];

/** Row 3: skips. */
export const skips: readonly Mutant[] = [
  mutant(decide, 'a skip is for the present epoch', 'decision.epoch === cursor.epoch && ', ''),
  mutant(
    decide,
    'a skip is for the next number',
    'decision.sequence === cursor.last + 1',
    'decision.sequence > cursor.last',
  ),
  mutant(decide, 'a skip needs a block', 'current && blocked && !cursor.halted', 'current && !cursor.halted'),
  mutant(
    decide,
    'a refused number is a block',
    'cursor.refused || cursor.parkedCommands > 0',
    'cursor.parkedCommands > 0',
  ),
  mutant(decide, 'a later parked command is a block', 'cursor.refused || cursor.parkedCommands > 0', 'cursor.refused'),
  mutant(decide, 'no skip while halted', 'current && blocked && !cursor.halted', 'current && blocked'),
  mutant(
    draft,
    'a skipped number is remembered as such',
    'cursor.skipped = withSkipped(cursor.skipped, content.decision.sequence);',
    '',
  ),
  mutant(
    draft,
    'a skipped number takes a place among the 16',
    'cursor.recent = remember(cursor.recent, undefined);',
    '',
  ),
  mutant(
    draft,
    'a skip ends a refusal',
    'content.decision.sequence);\n    cursor.refused = false;',
    'content.decision.sequence);',
  ),
  mutant(draft, 'a decision that counted is filed', "this.file(record, 'none');", 'cursor.version += 1;'),
];
