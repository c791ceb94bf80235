import { corrections } from './corrections.ts';
import { claims, skips } from './decisions.ts';
import { duplicates, unreadable } from './duplicates.ts';
import { effects } from './effects.ts';
import type { Mutant } from './mutant.ts';
import { nextNumber, takenNumbers, waiting } from './numbers.ts';
import { higherReigns, lowerReigns } from './reigns.ts';

/** Every clause of the table that a mutant forgets. */
export const mutants: readonly Mutant[] = [
  ...duplicates,
  ...unreadable,
  ...claims,
  ...skips,
  ...lowerReigns,
  ...higherReigns,
  ...takenNumbers,
  ...waiting,
  ...corrections,
  ...nextNumber,
  ...effects,
];
