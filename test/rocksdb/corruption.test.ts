import { describe, test } from 'vitest';
import { entryKey } from '../../src/stores/rocksdb/keys.ts';
import { corruptibleDirectories } from '../support/corruptible-directories.ts';
import { corruptionLaws } from '../support/corruption-laws.ts';
import { writeFromOutside } from '../support/rocksdb-contents.ts';

const corruptible = corruptibleDirectories('rocksdb', (directory) => ({
  setEntry: (session, ordinal, entry) =>
    writeFromOutside(directory, (operations) => operations.put('logs', entryKey(session, ordinal), entry)),
  removeEntry: (session, ordinal) =>
    writeFromOutside(directory, (operations) => operations.remove('logs', entryKey(session, ordinal))),
  addSession: (session, entry) =>
    writeFromOutside(directory, (operations) => operations.put('logs', entryKey(session, 0), entry)),
}));

describe('what is wrong in a rocksdb store', () => {
  for (const { name, check } of corruptionLaws) test(name, () => check(corruptible));
});
