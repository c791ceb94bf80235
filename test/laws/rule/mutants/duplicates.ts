import { decide, filedId, type Mutant, mutant, planner } from './mutant.ts';

/** Row 1: already a dead letter, or waiting unchanged. */
export const duplicates: readonly Mutant[] = [
  mutant(decide, 'a dead letter that comes again is a duplicate', 'standing.isFiled || isParked', 'isParked'),
  mutant(
    decide,
    'what waits and comes again is a duplicate',
    'standing.isFiled || isParked(standing, content)',
    'standing.isFiled',
  ),
  mutant(decide, 'what waits is known by its epoch', 'parkedThere.epoch === content.epoch &&', ''),
  mutant(decide, 'what waits is known by its writer', 'parkedThere.writer === content.writer &&', ''),
  mutant(decide, 'what waits is known by its digest', 'parkedThere.digest === content.digest', 'true'),
  mutant(
    filedId,
    'a dead letter is known by its epoch',
    'session, epoch, writer, sequence, digestHex',
    'session, writer, sequence, digestHex',
  ),
  mutant(
    filedId,
    'a dead letter is known by its writer',
    'session, epoch, writer, sequence, digestHex',
    'session, epoch, sequence, digestHex',
  ),
  mutant(filedId, 'a dead letter is known by its sequence', 'writer, sequence, digestHex', 'writer, digestHex'),
  mutant(filedId, 'a dead letter is known by its digest', 'digestHex(digest), refusal', 'refusal'),
  mutant(filedId, 'a correction of an attribute is another command', "refusal?.code ?? 'valid'", "'valid'"),
  mutant(
    filedId,
    'a fenced claim is known by its epoch',
    "['claim', content.session, content.epoch, content.writer]",
    "['claim', content.session, content.writer]",
  ),
  mutant(
    filedId,
    'a fenced claim is known by its writer',
    "['claim', content.session, content.epoch, content.writer]",
    "['claim', content.session, content.epoch]",
  ),
  mutant(
    filedId,
    'a decision is known by its event id',
    "['skip', content.session, content.id]",
    "['skip', content.session, content.decision.sequence]",
  ),
  mutant(
    filedId,
    'an unreadable message is known by its bytes',
    "content.session ?? '', digestHex(content.digest)]",
    "content.session ?? '']",
  ),
  mutant(planner, 'what this batch filed is filed', 'draft.hasJustFiled(id) || ', ''),
  mutant(planner, 'what this batch filed under no session is filed', 'this.#withoutSession.has(id) || ', ''),
];

/** Row 2: unreadable. */
export const unreadable: readonly Mutant[] = [
  mutant(
    decide,
    'no session waits for what cannot be read',
    "deadLetter('refused', content.refusal.message);",
    "deadLetter('refused', content.refusal.message, 'blocks');",
  ),
];
