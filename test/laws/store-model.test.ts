import { test } from 'vitest';
import { fileHarness } from '../support/file-harness.ts';
import { levelHarness } from '../support/level-harness.ts';
import { assertLikeMemory } from '../support/store-model.ts';

test.each([
  ['level', levelHarness],
  ['file', fileHarness],
])(
  'any plans, repeated, refused, and with the store opened anew between them, leave %s with what memory holds',
  (_, harness) => assertLikeMemory(harness, 60),
);
