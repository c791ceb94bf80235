import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pointedDirectory } from '../../src/compose/store-pointer.ts';
import { cutEverywhere } from './cuts.ts';
import { type JournalRecord, readJournal } from './journal.ts';
import { compilePrograms } from './programs.ts';
import { runProgram } from './run.ts';
import { compileShim, type ShimOptions } from './shim.ts';
import { lastMark, scratchFolder } from './workshop.ts';

/** Where the place leads to after so many switches: before the first one, to itself. */
const course = ['level', 'green', 'blue', 'green', 'level'];

let library: string;
let program: string;
let scratch: string;

beforeAll(async () => {
  library = await compileShim();
  program = join(await compilePrograms('switch'), 'test/power-cut/switch-program.js');
  scratch = scratchFolder('switch');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function run(name: string, more: Partial<ShimOptions> = {}) {
  const directory = join(scratch, name);
  const control = join(scratch, `${name}.control`);
  const journal = join(scratch, `${name}.journal`);
  mkdirSync(directory);
  const options = { directory, control, journal, ...more };
  const outcome = await runProgram([program, directory, control], { library, options });
  return { directory, outcome, journal: readJournal(journal) };
}

/** What is wrong where so many switches were promised: the place leads to the last of them, or to the one under way. */
function complaints(directory: string, promised: number): readonly string[] {
  const allowed = course.slice(promised, promised + 2);
  try {
    const found = basename(pointedDirectory(join(directory, 'data/level')));
    return allowed.includes(found) ? [] : [`after ${promised} switches it leads to ${found}`];
  } catch (error) {
    return [String(error)];
  }
}

async function cut(journal: readonly JournalRecord[]) {
  return await cutEverywhere(journal, {
    scratch,
    strict: () => true,
    survival: () => ({ kind: 'synced' }),
    examined: () => true,
    examine: async (image, marked) => complaints(image, Number(marked)),
  });
}

describe('where a place leads to', () => {
  test('is the old store or the new one after a power cut at any effect, and the new one once that was said', async () => {
    const { outcome, journal } = await run('synced');
    expect(outcome).toMatchObject({ code: 0, errors: '' });
    const report = await cut(journal);
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(8);
  });

  test('would not be, were the file or its name not synced', async () => {
    for (const ignoreSync of ['data/level.current.draft', 'data']) {
      const { journal } = await run(`unsynced-${basename(ignoreSync)}`, { ignoreSync });
      expect((await cut(journal)).complaints).not.toEqual([]);
    }
  });

  test('is one of both after a kill at any effect', async () => {
    const { journal } = await run('whole');
    const effects = Math.max(...journal.map(({ effect }) => effect));
    expect(effects).toBeGreaterThan(12);
    for (let killAt = 1; killAt <= effects; killAt += 1) {
      const killed = await run(`killed-${killAt}`, { killAt, tear: 7 });
      expect(killed.outcome.signal).toBe('SIGKILL');
      expect(complaints(killed.directory, Number(lastMark(killed.journal)))).toEqual([]);
    }
  });
});
