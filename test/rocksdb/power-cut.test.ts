import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutReport, cutEverywhere, emptyDisk } from '../power-cut/cuts.ts';
import { readImage } from '../power-cut/disk.ts';
import type { Survival } from '../power-cut/disk-file.ts';
import type { JournalRecord } from '../power-cut/journal.ts';
import { Random } from '../power-cut/random.ts';
import { isSampled, ownDirectories, seed, Workshop } from '../power-cut/workshop.ts';

let workshop: Workshop;
let directory: string;
let journal: readonly JournalRecord[];

beforeAll(async () => {
  workshop = await Workshop.open('rocksdb', 600, 'rocksdb');
  directory = workshop.directory();
  const run = await workshop.run(directory);
  expect(run.outcome).toMatchObject({ code: 0, errors: '' });
  journal = run.journal;
});
afterAll(() => workshop.remove());

function cut(
  records: readonly JournalRecord[],
  every: number,
  survival: (cut: number) => Survival,
): Promise<CutReport> {
  return cutEverywhere(records, {
    scratch: workshop.scratch,
    strict: ownDirectories,
    survival,
    examined: (number) => isSampled(number, every),
    examine: (image, marked) => workshop.examine(image, marked),
  });
}

describe('a power cut while recorded sessions are persisted into RocksDB', () => {
  test('the run that is cut writes tables and compacts them, and its journal accounts for every byte', () => {
    const disk = emptyDisk(workshop.scratch, ownDirectories);
    for (const record of journal) disk.apply(record);
    const image = readImage(directory);
    expect(disk.survivors({ kind: 'written' })).toEqual(image);
    expect([...image.keys()].filter((path) => path.startsWith('rocksdb/') && path.endsWith('.sst'))).not.toEqual([]);
    const removed = journal.filter((record) => record.kind === 'unlink').map((record) => record.data.toString());
    for (const kind of ['.sst', '.log']) {
      expect(removed.filter((path) => path.startsWith('rocksdb/') && path.endsWith(kind)).length).toBeGreaterThan(5);
    }
  });

  test('nothing acknowledged or committed is lost when only what was synced survives', async () => {
    const report = await cut(journal, 16, () => ({ kind: 'synced' }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  test('nor when a part of what was not synced survives as well', async () => {
    const report = await cut(journal, 40, (number) => ({ kind: 'prefix', random: new Random(seed * 31 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(20);
  });

  test('nor when its pages survive in any order', async () => {
    const report = await cut(journal, 40, (number) => ({ kind: 'pages', random: new Random(seed * 37 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(20);
  });

  // Without this the tests above could pass because nothing is ever lost here.
  test('a store that commits without syncing is caught', async () => {
    const run = await workshop.run(workshop.directory(), { ignoreSync: 'rocksdb/*.log' });
    expect(run.outcome).toMatchObject({ code: 0, errors: '' });
    const report = await cut(run.journal, 40, () => ({ kind: 'synced' }));
    expect(report.complaints).toContainEqual(expect.stringMatching(/was committed up to \d+, the store stands at/));
  });
});
