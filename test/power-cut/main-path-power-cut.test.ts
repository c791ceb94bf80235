import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutReport, cutEverywhere, emptyDisk } from './cuts.ts';
import { readImage } from './disk.ts';
import type { Survival } from './disk-file.ts';
import type { JournalRecord } from './journal.ts';
import { Random } from './random.ts';
import { isSampled, ownDirectories, seed, Workshop } from './workshop.ts';

let workshop: Workshop;
let directory: string;
let journal: readonly JournalRecord[];

beforeAll(async () => {
  workshop = await Workshop.open('main-path', 200);
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

describe('a power cut while recorded sessions are published and persisted', () => {
  test('the run that is cut begins segments, flushes and compacts tables, and its journal accounts for every byte', () => {
    const disk = emptyDisk(workshop.scratch, ownDirectories);
    for (const record of journal) disk.apply(record);
    const image = readImage(directory);
    expect(disk.survivors({ kind: 'written' })).toEqual(image);
    expect([...image.keys()].filter((path) => path.endsWith('.segment')).length).toBeGreaterThan(3);
    expect([...image.keys()].filter((path) => path.startsWith('level/') && path.endsWith('.ldb'))).not.toEqual([]);
    expect(journal.filter((record) => record.kind === 'unlink').length).toBeGreaterThan(5);
  });

  test('nothing acknowledged or committed is lost when only what was synced survives, at every effect', async () => {
    const report = await cut(journal, 1, () => ({ kind: 'synced' }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(100);
  });

  test('nor when a part of what was not synced survives as well', async () => {
    const report = await cut(journal, 6, (number) => ({ kind: 'prefix', random: new Random(seed * 31 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  test('nor when its pages survive in any order', async () => {
    const report = await cut(journal, 6, (number) => ({ kind: 'pages', random: new Random(seed * 37 + number) }));
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(50);
  });

  // Without this the tests above could pass because nothing is ever lost here.
  test.each([
    ['a queue that does not sync its segments', 'queue/segments/*', /publishes were acknowledged, the queue holds/],
    [
      'a queue that does not sync the directory of its segments',
      'queue/segments',
      /publishes were acknowledged, the queue holds/,
    ],
    ['a store that commits without syncing', 'level/*.log', /was committed up to \d+, the store stands at/],
  ])('%s is caught', async (_, ignoreSync, loss) => {
    const run = await workshop.run(workshop.directory(), { ignoreSync });
    expect(run.outcome).toMatchObject({ code: 0, errors: '' });
    const report = await cut(run.journal, 12, () => ({ kind: 'synced' }));
    expect(report.complaints).toContainEqual(expect.stringMatching(loss));
  });
});
