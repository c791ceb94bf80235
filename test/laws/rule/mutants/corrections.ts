import { decide, draft, type Mutant, mutant, planner } from './mutant.ts';

const toRefused = "refusal === undefined ? correct : deadLetter('refused', twinDetail(sequence, refusal))";

/** Commands that differ in an attribute only, of which one waits. */
export const corrections: readonly Mutant[] = [
  mutant(
    decide,
    'a correction of what waits is no duplicate of it',
    'isTwin(parkedThere, content) &&\n    parkedThere.refusal === content.refusal?.code',
    'isTwin(parkedThere, content)',
  ),
  mutant(decide, 'a correction takes the place of what waits refused', toRefused, "deadLetter('refused', '')"),
  mutant(decide, 'what is refused never takes the place of what waits', toRefused, 'correct'),
  mutant(
    decide,
    'what is refused beside what waits blocks nothing',
    'twinDetail(sequence, refusal))',
    "twinDetail(sequence, refusal), 'blocks')",
  ),
  mutant(
    decide,
    'the same data under other attributes is no conflict',
    "if (!isTwin(parkedThere, content)) return deadLetter('conflict'",
    "if (!isTwin(parkedThere, content) || refusal !== undefined) return deadLetter('conflict'",
  ),
  mutant(decide, 'other data is no correction', 'if (!isTwin(parkedThere, content)) return', 'if (false) return'),
  mutant(draft, 'what waits is known by what it is refused for', 'refusal: refusal?.code,', 'refusal: undefined,'),
  mutant(
    planner,
    'what was replaced is a dead letter',
    'this.#settle(draft, deliveryOfParked(twin), false);',
    'this.#settle(draft, deliveryOfParked(twin), true);',
  ),
  mutant(planner, 'what was replaced waits no more', 'draft.unpark(twin);\n    this', 'this'),
];
