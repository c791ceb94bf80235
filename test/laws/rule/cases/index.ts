import type { Case } from './case.ts';
import { correctionCases } from './corrections.ts';
import { deadLetterCases } from './dead-letters.ts';
import { claimCases, skipCases } from './decisions.ts';
import { effectCases } from './effects.ts';
import { numberCases } from './numbers.ts';
import { reignCases } from './reigns.ts';

/** The table, row by row. */
export const tableCases: readonly (readonly [row: string, cases: readonly Case[]])[] = [
  ['already a dead letter, or unreadable', deadLetterCases],
  ['claim', claimCases],
  ['skip', skipCases],
  ['another reign', reignCases],
  ['the reigning writer', numberCases],
  ['the same data with other attributes', correctionCases],
  ['effects on the data', effectCases],
];
