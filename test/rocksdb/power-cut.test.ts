import { expect } from 'vitest';
import { commitLost, pathsOf, testPowerCuts } from '../power-cut/power-cuts.ts';

testPowerCuts({
  kind: 'rocksdb',
  lines: 600,
  strict: () => false,
  synced: { every: 16, atLeast: 50 },
  partly: { every: 40, atLeast: 20 },
  /** Tables are written and compacted. */
  covers(journal, image) {
    expect([...image.keys()].filter((path) => path.startsWith('rocksdb/') && path.endsWith('.sst'))).not.toEqual([]);
    for (const ending of ['.sst', '.log']) {
      const removed = pathsOf(journal, 'unlink').filter((path) => path.startsWith('rocksdb/') && path.endsWith(ending));
      expect(removed.length).toBeGreaterThan(5);
    }
  },
  mutants: [['a store that commits without syncing', 'rocksdb/*.log', commitLost]],
  mutantsEvery: 40,
});
