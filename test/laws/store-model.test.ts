import { test } from 'vitest';
import { levelHarness } from '../support/level-harness.ts';
import { assertLikeMemory } from '../support/store-model.ts';

test('any plans, repeated, refused, and with the store opened anew between them, leave level with what memory holds', () =>
  assertLikeMemory(levelHarness, 60));
