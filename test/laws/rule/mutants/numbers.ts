import { cursor, decide, draft, type Mutant, mutant, planner } from './mutant.ts';

/** Rows 6 to 8: numbers that are taken. */
export const takenNumbers: readonly Mutant[] = [
  mutant(decide, 'a number from before the own claim is a conflict', 'if (sequence < cursor.first) {', 'if (false) {'),
  mutant(
    decide,
    'the first number after the claim is free',
    'if (sequence < cursor.first) {',
    'if (sequence <= cursor.first) {',
  ),
  mutant(
    decide,
    'a number from before the own claim halts',
    "'halts',\n    );\n  }\n  if (isSkipped",
    "'none',\n    );\n  }\n  if (isSkipped",
  ),
  mutant(decide, 'a skipped number stays skipped', 'if (isSkipped(cursor, sequence)) return', 'if (false) return'),
  mutant(
    decide,
    'a skipped number does not halt',
    'was skipped by an operator`)',
    "was skipped by an operator`, 'halts')",
  ),
  mutant(
    decide,
    'the last number is taken',
    'if (sequence <= cursor.last) return',
    'if (sequence < cursor.last) return',
  ),
  mutant(
    decide,
    'the same digest is a duplicate',
    'known === undefined || known === shortDigest(content.digest)',
    'known === undefined',
  ),
  mutant(
    decide,
    'what is older than the 16 is a duplicate',
    'known === undefined || known === shortDigest(content.digest)',
    'known === shortDigest(content.digest)',
  ),
  mutant(
    decide,
    'another digest is a conflict',
    'if (known === undefined || known === shortDigest(content.digest)) return duplicate;',
    'if (known !== content.digest) return duplicate;',
  ),
  mutant(decide, 'a conflict halts', "was applied with other data`, 'halts')", 'was applied with other data`)'),
  mutant(
    cursor,
    '16 commands are remembered, not 15',
    'wireLimits.rememberedDigests * shortDigestBytes',
    '(wireLimits.rememberedDigests - 1) * shortDigestBytes',
  ),
  mutant(
    cursor,
    '16 commands are remembered, not 17',
    'wireLimits.rememberedDigests * shortDigestBytes',
    '(wireLimits.rememberedDigests + 1) * shortDigestBytes',
  ),
];

/** Row 9: what waits. */
export const waiting: readonly Mutant[] = [
  mutant(
    decide,
    'a halted session parks the next number',
    'if (cursor.halted || sequence > cursor.last + 1)',
    'if (sequence > cursor.last + 1)',
  ),
  mutant(
    decide,
    'a gap never shows',
    'sequence > cursor.last + 1) return park',
    'sequence > cursor.last + 2) return park',
  ),
  mutant(decide, 'what waits stays', 'if (parkedThere !== undefined) return beside', 'if (false) return beside'),
  mutant(
    decide,
    'another command in its place does not halt',
    'rivalDetail(sequence));',
    "rivalDetail(sequence), 'halts');",
  ),
  mutant(
    decide,
    '10,000 commands wait, not one more',
    'cursor.parkedCommands >= wireLimits.parkedCommands',
    'cursor.parkedCommands > wireLimits.parkedCommands',
  ),
  mutant(
    decide,
    '64 MiB wait, not one byte more',
    'content.data.length > wireLimits.parkedBytes',
    'content.data.length > wireLimits.parkedBytes + 1',
  ),
  mutant(
    decide,
    '64 MiB wait, not one byte less',
    'content.data.length > wireLimits.parkedBytes',
    'content.data.length >= wireLimits.parkedBytes',
  ),
  mutant(draft, 'what waits no more makes room', 'this.#cursor.parkedBytes -= header.bytes;', ''),
];

/** Rows 10 and 11: the next number. */
export const nextNumber: readonly Mutant[] = [
  mutant(decide, 'what is not valid is refused', 'if (content.refusal !== undefined) return', 'if (false) return'),
  mutant(
    decide,
    'a refused number stays open',
    "content.refusal.message, 'blocks')",
    "content.refusal.message, 'none')",
  ),
  mutant(decide, 'a refusal does not halt', "content.refusal.message, 'blocks')", "content.refusal.message, 'halts')"),
  mutant(
    draft,
    'a repair ends the refusal',
    'shortDigest(content.digest));\n    cursor.refused = false;',
    'shortDigest(content.digest));',
  ),
  mutant(
    draft,
    'what is applied is remembered',
    'cursor.recent = remember(cursor.recent, shortDigest(content.digest));',
    '',
  ),
  mutant(
    planner,
    'what waited drains',
    'this.#isFiled(draft, delivery));\n    this.#drain(draft);',
    'this.#isFiled(draft, delivery));',
  ),
];
