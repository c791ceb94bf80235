import { describe, test } from 'vitest';
import { storeLaws } from '../../src/conformance/store-suite.ts';
import { checkReceipts } from '../support/receipt-laws.ts';
import { rocksdbHarness } from '../support/rocksdb-harness.ts';

describe('the rocksdb store', () => {
  for (const law of storeLaws(rocksdbHarness)) test(law.name, law.check);
  test('receipts and anchors come through commands and reads: the first receipt stays, an anchor is replaced', () =>
    checkReceipts(rocksdbHarness));
});
