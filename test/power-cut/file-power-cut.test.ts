import { expect } from 'vitest';
import { pathsOf, testPowerCuts } from './power-cuts.ts';

const anything = /./;

testPowerCuts({
  kind: 'file',
  lines: 200,
  /** Wherever we, and not LevelDB, make names. */
  strict: (path) => (path === 'file' || path.startsWith('file/')) && !path.startsWith('file/.macp-persist/records'),
  synced: { every: 3, atLeast: 100 },
  partly: { every: 12, atLeast: 50 },
  /** Segments of the journal are written over, and checkpoints flush tables. */
  covers(journal) {
    const created = pathsOf(journal, 'create');
    expect(created.filter((path) => path.startsWith('file/.macp-persist/journal/')).length).toBeLessThan(6);
    const tables = created.filter((path) => path.startsWith('file/.macp-persist/records/') && path.endsWith('.ldb'));
    expect(tables.length).toBeGreaterThan(2);
  },
  mutants: [
    ['a journal that is not synced', 'file/.macp-persist/journal/*', anything],
    ['a journal whose directory is not synced', 'file/.macp-persist/journal', anything],
    ['logs and snapshots that no checkpoint syncs', 'file/sessions/*/*', anything],
    ['folders of sessions that no checkpoint syncs', 'file/sessions/*[!ln]', anything],
    ['sessions whose folder no checkpoint syncs', 'file/sessions', anything],
    ['records that no checkpoint syncs', 'file/.macp-persist/records/*', anything],
  ],
  mutantsEvery: 24,
});
