import { test } from 'vitest';
import { backUpUnderLoad } from '../support/backup-under-load.ts';

test('a rocksdb store is backed up under full load, restored, and goes on to what the live store holds', () =>
  backUpUnderLoad('rocksdb'));
