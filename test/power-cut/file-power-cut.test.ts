import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutReport, cutEverywhere, emptyDisk } from './cuts.ts';
import { readImage } from './disk.ts';
import type { Survival } from './disk-file.ts';
import type { JournalRecord } from './journal.ts';
import { Random } from './random.ts';
import { isSampled, seed, Workshop } from './workshop.ts';

let workshop: Workshop;
let directory: string;
let journal: readonly JournalRecord[];

beforeAll(async () => {
  workshop = await Workshop.open('file', 200, 'file');
  directory = workshop.directory();
  const run = await workshop.run(directory);
  expect(run.outcome).toMatchObject({ code: 0, errors: '' });
  journal = run.journal;
});
afterAll(() => workshop.remove());

/** Wherever we, and not LevelDB, make names: there one survives only if its directory was synced. */
function isOurs(path: string): boolean {
  return (path === 'file' || path.startsWith('file/')) && !path.startsWith('file/.macp-persist/records');
}

function cut(
  records: readonly JournalRecord[],
  every: number,
  survival: (cut: number) => Survival,
): Promise<CutReport> {
  return cutEverywhere(records, {
    scratch: workshop.scratch,
    strict: (path) => path === 'queue/segments' || isOurs(path),
    survival,
    examined: (number) => isSampled(number, every),
    examine: (image, marked) => workshop.examine(image, marked),
  });
}

describe('a power cut while recorded sessions are persisted into the files that macp-runtime reads', () => {
  test('the run that is cut makes checkpoints, writes segments over, and its journal accounts for every byte', () => {
    const disk = emptyDisk(workshop.scratch, isOurs);
    for (const record of journal) disk.apply(record);
    const image = readImage(directory);
    expect(disk.survivors({ kind: 'written' })).toEqual(image);
    const created = journal.filter(({ kind }) => kind === 'create').map(({ data }) => data.toString());
    expect(created.filter((path) => path.startsWith('file/.macp-persist/journal/')).length).toBeLessThan(6);
    const tables = created.filter((path) => path.startsWith('file/.macp-persist/records/') && path.endsWith('.ldb'));
    expect(tables.length).toBeGreaterThan(2);
  });

  test('nothing acknowledged or committed is lost when only what was synced survives', async () => {
    const report = await cut(journal, 3, () => ({ kind: 'synced' }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(100);
  });

  test('nor when a part of what was not synced survives as well', async () => {
    const report = await cut(journal, 12, (number) => ({ kind: 'prefix', random: new Random(seed * 31 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  test('nor when its pages survive in any order', async () => {
    const report = await cut(journal, 12, (number) => ({ kind: 'pages', random: new Random(seed * 37 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  test('nor when the process is killed instead, and everything that it wrote is there', async () => {
    const report = await cut(journal, 12, () => ({ kind: 'written' }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  // Without this the tests above could pass because nothing is ever lost here.
  test.each([
    ['a journal that is not synced', 'file/.macp-persist/journal/*'],
    ['a journal whose directory is not synced', 'file/.macp-persist/journal'],
    ['logs and snapshots that no checkpoint syncs', 'file/sessions/*/*'],
    ['folders of sessions that no checkpoint syncs', 'file/sessions/*[!ln]'],
    ['sessions whose folder no checkpoint syncs', 'file/sessions'],
    ['records that no checkpoint syncs', 'file/.macp-persist/records/*'],
  ])('%s, are caught', async (_, ignoreSync) => {
    const run = await workshop.run(workshop.directory(), { ignoreSync });
    expect(run.outcome).toMatchObject({ code: 0, errors: '' });
    const report = await cut(run.journal, 24, () => ({ kind: 'synced' }));
    expect(report.complaints).not.toEqual([]);
  });
});
