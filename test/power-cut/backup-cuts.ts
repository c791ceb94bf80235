import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutReport, cutEverywhere } from './cuts.ts';
import type { Survival } from './disk-file.ts';
import { examineBackups } from './examine-backups.ts';
import { type JournalRecord, readJournal } from './journal.ts';
import { compilePrograms } from './programs.ts';
import { Random } from './random.ts';
import { runProgram } from './run.ts';
import { compileShim } from './shim.ts';
import type { SmallStoreKind } from './small-stores.ts';
import { isSampled, scratchFolder, seed } from './workshop.ts';

/** The tests of a power cut while a store of this kind makes backups. */
export function testBackupCuts(kind: SmallStoreKind): void {
  let library: string;
  let program: string;
  let scratch: string;

  beforeAll(async () => {
    library = await compileShim();
    program = join(await compilePrograms(`backup-${kind}`), 'test/power-cut/backup-program.js');
    scratch = scratchFolder(`backup-${kind}`);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  async function recorded(name: string, ignoreSync?: string): Promise<readonly JournalRecord[]> {
    const directory = join(scratch, name);
    const control = join(scratch, `${name}.control`);
    const journal = join(scratch, `${name}.journal`);
    mkdirSync(directory);
    const options = { directory, control, journal, syncMicroseconds: 200 };
    const outcome = await runProgram([program, directory, control, kind], {
      library,
      options: ignoreSync === undefined ? options : { ...options, ignoreSync },
    });
    expect(outcome).toMatchObject({ code: 0, errors: '' });
    return readJournal(journal);
  }

  /** Cuts the power at every few effects of the backups; a name in or below their place survives only if it was synced. */
  function cut(
    journal: readonly JournalRecord[],
    every: number,
    survival: (cut: number) => Survival,
  ): Promise<CutReport> {
    return cutEverywhere(journal, {
      scratch,
      strict: (directory) => directory.startsWith('backups'),
      survival,
      examined: (number) => isSampled(number, every),
      examine: (image, marked) =>
        examineBackups(image, marked === '' ? { committed: 0, backups: [] } : JSON.parse(marked), kind),
    });
  }

  describe(`a power cut while a ${kind} store makes backups and commits go on`, () => {
    test('leaves every promised backup whole, none half made under its name, and the store unharmed', async () => {
      const journal = await recorded('synced');
      const synced = await cut(journal, 6, () => ({ kind: 'synced' }));
      expect(synced.complaints).toEqual([]);
      expect(synced.examined).toBeGreaterThan(30);
      const parts = await cut(journal, 10, (number) => ({ kind: 'prefix', random: new Random(seed * 31 + number) }));
      expect(parts.complaints).toEqual([]);
    });

    test('a backup whose files are not synced is caught', async () => {
      const report = await cut(await recorded('unsynced', 'backups/*/*'), 10, () => ({ kind: 'synced' }));
      expect(report.complaints).not.toEqual([]);
    });

    test('a backup whose name is not synced is caught', async () => {
      const report = await cut(await recorded('unnamed', 'backups'), 10, () => ({ kind: 'synced' }));
      expect(report.complaints).toContainEqual(expect.stringContaining('was promised and is not there'));
    });
  });
}
