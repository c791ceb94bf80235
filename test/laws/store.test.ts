import { describe, test } from 'vitest';
import { type StoreHarness, storeLaws } from '../../src/conformance/store-suite.ts';
import { fileHarness } from '../support/file-harness.ts';
import { levelHarness } from '../support/level-harness.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { checkReceipts } from '../support/receipt-laws.ts';

const harnesses: Readonly<Record<string, StoreHarness>> = {
  memory: memoryHarness,
  level: levelHarness,
  file: fileHarness,
};

for (const [name, harness] of Object.entries(harnesses)) {
  describe(`the ${name} store`, () => {
    for (const law of storeLaws(harness)) test(law.name, law.check);
    test('receipts and anchors come through commands and reads: the first receipt stays, an anchor is replaced', () =>
      checkReceipts(harness));
  });
}
