import { decide, draft, type Mutant, mutant } from './mutant.ts';

/** Row 4: a lower epoch, or another writer of the same. */
export const lowerReigns: readonly Mutant[] = [
  mutant(decide, 'a lower epoch never writes', 'content.epoch < cursor.epoch || (content', '(content'),
  mutant(decide, 'another writer of the same epoch never writes', '&& content.writer !== cursor.writer)', '&& false)'),
  mutant(
    decide,
    'what its reign covered is a duplicate',
    'covered ? duplicate : fenced(cursor, content)',
    'fenced(cursor, content)',
  ),
  mutant(
    decide,
    'what its reign did not cover is fenced',
    'covered ? duplicate : fenced(cursor, content)',
    'duplicate',
  ),
  mutant(decide, 'a reign has a first number', 'reign.first <= content.sequence && ', ''),
  mutant(decide, 'a reign has a last number', ' && content.sequence <= reign.last', ''),
];

/** Row 5: a higher epoch, and the first reign. */
export const higherReigns: readonly Mutant[] = [
  mutant(decide, 'a higher epoch needs a claim', 'if (content.epoch > cursor.epoch) {', 'if (false) {'),
  mutant(
    decide,
    'number 1 opens the first reign',
    'return sequence === 1 ? open : parkUnlessTaken',
    "return sequence === 1 ? deadLetter('unclaimed', 'no claim') : parkUnlessTaken",
  ),
  mutant(
    decide,
    'only number 1 opens the first reign',
    'return sequence === 1 ? open : parkUnlessTaken(standing, content)',
    'return open',
  ),
  mutant(
    draft,
    'the first reign has the epoch that opened it',
    'open(content: NumberedContent): void {\n    this.#cursor.epoch = content.epoch;',
    "open(content: NumberedContent): void {\n    this.#cursor.epoch = 1 as NumberedContent['epoch'];",
  ),
];
