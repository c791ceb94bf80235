import { describe, test } from 'vitest';
import { corruptibleFiles, corruptibleLevel } from '../support/corruptible-directories.ts';
import { type CorruptionHarness, corruptionLaws } from '../support/corruption-laws.ts';

const harnesses: Readonly<Record<string, CorruptionHarness>> = { level: corruptibleLevel, file: corruptibleFiles };

for (const [name, harness] of Object.entries(harnesses)) {
  describe(`what is wrong in a ${name} store`, () => {
    for (const { name: law, check } of corruptionLaws) test(law, () => check(harness));
  });
}
