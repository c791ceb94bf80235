import { describe, test } from 'vitest';
import type { StoreHarness } from '../../src/conformance/index.ts';
import { fileHarness } from '../support/file-harness.ts';
import { levelHarness } from '../support/level-harness.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { transferLaws } from '../support/transfer-laws.ts';

const harnesses: Readonly<Record<string, StoreHarness>> = {
  memory: memoryHarness,
  level: levelHarness,
  file: fileHarness,
};

for (const [name, harness] of Object.entries(harnesses)) {
  describe(`copies into and out of the ${name} store`, () => {
    for (const { name: law, check } of transferLaws) test(law, () => check(harness));
  });
}
