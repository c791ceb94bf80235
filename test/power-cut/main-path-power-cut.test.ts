import { expect } from 'vitest';
import { commitLost, pathsOf, publishLost, testPowerCuts } from './power-cuts.ts';

testPowerCuts({
  kind: 'level',
  lines: 200,
  strict: () => false,
  synced: { every: 1, atLeast: 100 },
  partly: { every: 6, atLeast: 50 },
  covers(journal, image) {
    const paths = [...image.keys()];
    expect(paths.filter((path) => path.endsWith('.segment')).length).toBeGreaterThan(3);
    expect(paths.filter((path) => path.startsWith('level/') && path.endsWith('.ldb'))).not.toEqual([]);
    expect(pathsOf(journal, 'unlink').length).toBeGreaterThan(5);
  },
  mutants: [
    ['a queue that does not sync its segments', 'queue/segments/*', publishLost],
    ['a queue that does not sync the directory of its segments', 'queue/segments', publishLost],
    ['a store that commits without syncing', 'level/*.log', commitLost],
  ],
  mutantsEvery: 12,
});
