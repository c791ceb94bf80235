import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutEverywhere, emptyDisk } from './cuts.ts';
import { describeError } from './describe-error.ts';
import { readImage } from './disk.ts';
import type { Survival } from './disk-file.ts';
import { type JournalRecord, readJournal } from './journal.ts';
import { compilePrograms } from './programs.ts';
import { Random } from './random.ts';
import { runProgram } from './run.ts';
import { compileShim } from './shim.ts';
import { scratchFolder } from './workshop.ts';

const batches = 120;

let library: string;
let programs: string;
let scratch: string;

beforeAll(async () => {
  [library, programs] = await Promise.all([compileShim(), compilePrograms('level')]);
  scratch = scratchFolder('level');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs the program in a fresh directory; how it ends is checked, what it did is returned. */
async function recorded(
  name: string,
  mode: 'sync' | 'no-sync',
  options: { readonly ignoreSync?: string; readonly killAt?: number; readonly tear?: number } = {},
  creation: 'aside' | 'in place' = 'aside',
): Promise<{ readonly directory: string; readonly journal: readonly JournalRecord[] }> {
  const directory = join(scratch, name);
  const control = join(scratch, `${name}.control`);
  const journal = join(scratch, `${name}.journal`);
  mkdirSync(directory);
  const program = [
    join(programs, 'test/power-cut/level-program.js'),
    join(directory, 'level'),
    control,
    String(batches),
    mode,
    creation,
  ];
  const outcome = await runProgram(program, {
    library,
    options: { directory, control, journal, syncMicroseconds: 200, ...options },
  });
  if (options.killAt === undefined) expect(outcome).toMatchObject({ code: 0, errors: '' });
  else expect(outcome.signal).toBe('SIGKILL');
  return { directory, journal: readJournal(journal) };
}

/** Complaints about a database that does not open, lacks what was promised, or holds anything but whole batches. */
async function complaintsAbout(directory: string, promised: number): Promise<readonly string[]> {
  const database = new ClassicLevel<string, Uint8Array>(join(directory, 'level'), { valueEncoding: 'view' });
  try {
    await database.open();
    const keys = new Set(await database.keys().all());
    let count = 0;
    while (keys.has(`a${count}`) && keys.has(`b${count}`)) count += 1;
    if (keys.size !== 2 * count) return [`${keys.size} keys, but only ${count} whole batches`];
    return count < promised ? [`${promised} batches were promised, ${count} are there`] : [];
  } catch (error) {
    return [describeError(error)];
  } finally {
    await database.close();
  }
}

async function complaints(
  journal: readonly JournalRecord[],
  survival: (cut: number) => Survival,
): Promise<readonly string[]> {
  const report = await cutEverywhere(journal, {
    scratch,
    strict: () => false,
    survival,
    examined: () => true,
    examine: (directory, marked) => complaintsAbout(directory, marked === '' ? 0 : Number(marked) + 1),
  });
  return report.complaints;
}

describe('the shim and the model of the disk, shown on LevelDB', () => {
  test('the journal accounts for every byte and name in the directory', async () => {
    const { directory, journal } = await recorded('whole', 'sync');
    const disk = emptyDisk(scratch, () => false);
    for (const record of journal) disk.apply(record);
    expect(disk.survivors({ kind: 'written' })).toEqual(readImage(directory));
    const kinds = new Set(journal.map((record) => record.kind));
    for (const kind of [
      'create',
      'write',
      'fdatasync-begin',
      'directory-begin',
      'rename',
      'unlink',
      'mkdir',
    ] as const) {
      expect(kinds).toContain(kind);
    }
  });

  test('synced batches survive a cut at every effect', async () => {
    const { journal } = await recorded('synced', 'sync');
    expect(await complaints(journal, () => ({ kind: 'synced' }))).toEqual([]);
  });

  test('synced batches survive when parts of what was not synced survive as well', async () => {
    const { journal } = await recorded('parts', 'sync');
    expect(await complaints(journal, (cut) => ({ kind: 'prefix', random: new Random(cut) }))).toEqual([]);
  });

  test('a database that LevelDB creates in place does not open after every cut: it never syncs its first manifest', async () => {
    const { journal } = await recorded('in-place', 'sync', {}, 'in place');
    const found = await complaints(journal, () => ({ kind: 'synced' }));
    expect(found).toContainEqual(expect.stringContaining('no meta-nextfile entry in descriptor'));
    expect(found).not.toContainEqual(expect.stringContaining('were promised'));
  });

  test('a program that does not sync is caught', async () => {
    const { journal } = await recorded('unsynced', 'no-sync');
    expect(await complaints(journal, () => ({ kind: 'synced' }))).toContainEqual(
      expect.stringContaining('were promised'),
    );
  });

  test('a disk that ignores the syncs is caught', async () => {
    const { journal } = await recorded('ignored', 'sync', { ignoreSync: 'level/*.log' });
    expect(await complaints(journal, () => ({ kind: 'synced' }))).toContainEqual(
      expect.stringContaining('were promised'),
    );
  });

  test('a process that ends at an effect leaves what the journal says, a torn write included', async () => {
    for (const [killAt, tear] of [
      [5, 0],
      [60, 7],
      [151, 100],
      [152, 300],
      [233, 0],
    ] as const) {
      const { directory, journal } = await recorded(`killed-${killAt}`, 'sync', { killAt, tear });
      const disk = emptyDisk(scratch, () => false);
      for (const record of journal) disk.apply(record);
      expect(disk.survivors({ kind: 'written' })).toEqual(readImage(directory));
      expect(Math.max(...journal.map((record) => record.effect))).toBeLessThanOrEqual(killAt);
    }
  });
});
