import { describe, test } from 'vitest';
import { storeLaws } from '../../src/conformance/store-suite.ts';
import { rocksdbHarness } from '../support/rocksdb-harness.ts';

describe('the rocksdb store', () => {
  for (const law of storeLaws(rocksdbHarness)) test(law.name, law.check);
});
