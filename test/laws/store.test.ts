import { describe, test } from 'vitest';
import { type StoreHarness, storeLaws } from '../../src/conformance/store-suite.ts';
import { fileHarness } from '../support/file-harness.ts';
import { levelHarness } from '../support/level-harness.ts';
import { memoryHarness } from '../support/memory-harness.ts';

const harnesses: Readonly<Record<string, StoreHarness>> = {
  memory: memoryHarness,
  level: levelHarness,
  file: fileHarness,
};

for (const [name, harness] of Object.entries(harnesses)) {
  describe(`the ${name} store`, () => {
    for (const law of storeLaws(harness)) test(law.name, law.check);
  });
}
