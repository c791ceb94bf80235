import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examineBackups } from '../power-cut/examine-backups.ts';
import { readJournal } from '../power-cut/journal.ts';
import { compilePrograms } from '../power-cut/programs.ts';
import { runProgram } from '../power-cut/run.ts';
import { compileShim, type ShimOptions } from '../power-cut/shim.ts';
import type { SmallStoreKind } from '../power-cut/small-stores.ts';
import { lastMark, scratchFolder } from '../power-cut/workshop.ts';

/** The test of a process that is killed while its store of this kind makes backups. */
export function testBackupKills(kind: SmallStoreKind): void {
  let library: string;
  let program: string;
  let scratch: string;

  beforeAll(async () => {
    library = await compileShim();
    program = join(await compilePrograms(`backup-kill-${kind}`), 'test/power-cut/backup-program.js');
    scratch = scratchFolder(`backup-kill-${kind}`);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  async function run(name: string, death: Pick<ShimOptions, 'killAt' | 'tear'> = {}) {
    const directory = join(scratch, name);
    const control = join(scratch, `${name}.control`);
    const journal = join(scratch, `${name}.journal`);
    mkdirSync(directory);
    const options = { directory, control, journal, ...death };
    const outcome = await runProgram([program, directory, control, kind], { library, options });
    return { directory, outcome, journal: readJournal(journal) };
  }

  test('a process killed while it makes backups leaves whole ones, none half made under its name, and the store unharmed', async () => {
    const whole = await run('whole');
    expect(whole.outcome).toMatchObject({ code: 0, errors: '' });
    const effects = Math.max(...whole.journal.map(({ effect }) => effect));
    let interrupted = 0;
    for (let part = 1; part <= 40; part += 1) {
      const killAt = Math.floor((part * effects) / 41);
      const { directory, outcome, journal } = await run(`killed-${part}`, { killAt, tear: part * 97 });
      expect(outcome.signal).toBe('SIGKILL');
      if (readdirSync(directory).includes('backups')) {
        interrupted += readdirSync(join(directory, 'backups')).filter((name) => name.startsWith('unfinished-')).length;
      }
      const marked = lastMark(journal);
      const promised = marked === '' ? { committed: 0, backups: [] } : JSON.parse(marked);
      expect([killAt, ...(await examineBackups(directory, promised, kind))]).toEqual([killAt]);
    }
    expect(interrupted).toBeGreaterThan(5);
  });
}
