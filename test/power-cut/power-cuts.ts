import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutReport, cutEverywhere, emptyDisk } from './cuts.ts';
import { type Image, readImage } from './disk.ts';
import type { Survival } from './disk-file.ts';
import type { JournalRecord } from './journal.ts';
import { Random } from './random.ts';
import type { SmallStoreKind } from './small-stores.ts';
import { isSampled, ownDirectories, seed, Workshop } from './workshop.ts';

/** Of how many cuts one is examined, and how many different states that must come to. */
interface Sample {
  readonly every: number;
  readonly atLeast: number;
}

export interface PowerCuts {
  readonly kind: SmallStoreKind;
  /** How many recorded commands are published and persisted. */
  readonly lines: number;
  /** Directories of the store in which a name survives only if they were synced, by their path in the data directory. */
  readonly strict: (directory: string) => boolean;
  /** Where only what was synced survives. */
  readonly synced: Sample;
  /** Where a part of the rest survives as well, or all of it. */
  readonly partly: Sample;
  /** What the run has to come to, for the cuts to meet everything. Throws where it does not. */
  readonly covers: (journal: readonly JournalRecord[], image: Image) => void;
  /** What is not synced, as a pattern of paths, and what must then be complained of, where one of `every` cuts is examined. */
  readonly mutants: readonly (readonly [name: string, ignoreSync: string, loss: RegExp])[];
  readonly mutantsEvery: number;
}

/** The laws of a power cut while recorded sessions are published and persisted into a store of this kind. */
export function testPowerCuts({ kind, lines, synced, partly, covers, mutants, ...options }: PowerCuts): void {
  let workshop: Workshop;
  let directory: string;
  let journal: readonly JournalRecord[];
  const strict = (path: string): boolean => ownDirectories(path) || options.strict(path);

  beforeAll(async () => {
    workshop = await Workshop.open(`cuts-${kind}`, lines, kind);
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
      strict,
      survival,
      examined: (number) => isSampled(number, every),
      examine: (image, marked) => workshop.examine(image, marked),
    });
  }

  async function losesNothing({ every, atLeast }: Sample, survival: (cut: number) => Survival): Promise<void> {
    const report = await cut(journal, every, survival);
    expect(report.complaints).toEqual([]);
    expect(report.examined).toBeGreaterThan(atLeast);
  }

  describe(`a power cut while recorded sessions are published, and persisted into a ${kind} store`, () => {
    test('comes in a run that does all that the store ever does, and whose journal accounts for every byte', () => {
      const disk = emptyDisk(workshop.scratch, strict);
      for (const record of journal) disk.apply(record);
      const image = readImage(directory);
      expect(disk.survivors({ kind: 'written' })).toEqual(image);
      covers(journal, image);
    });

    test('loses nothing acknowledged or committed when only what was synced survives', () =>
      losesNothing(synced, () => ({ kind: 'synced' })));

    test('nor when a part of what was not synced survives as well', () =>
      losesNothing(partly, (number) => ({ kind: 'prefix', random: new Random(seed * 31 + number) })));

    test('nor when its pages survive in any order', () =>
      losesNothing(partly, (number) => ({ kind: 'pages', random: new Random(seed * 37 + number) })));

    test('nor when the process is killed instead, and everything that it wrote is there', () =>
      losesNothing(partly, () => ({ kind: 'written' })));

    // Without this the tests above could pass because nothing is ever lost here.
    test.each(mutants)('loses something with %s', async (_, ignoreSync, loss) => {
      const run = await workshop.run(workshop.directory(), { ignoreSync });
      expect(run.outcome).toMatchObject({ code: 0, errors: '' });
      const report = await cut(run.journal, options.mutantsEvery, () => ({ kind: 'synced' }));
      expect(report.complaints).toContainEqual(expect.stringMatching(loss));
    });
  });
}

/** The paths that the records of one kind name. */
export function pathsOf(journal: readonly JournalRecord[], kind: 'create' | 'unlink'): readonly string[] {
  return journal.filter((record) => record.kind === kind).map(({ data }) => data.toString());
}

/** What is complained of when a publish, or a commit, is lost. */
export const publishLost = /publishes were acknowledged, the queue holds/;
export const commitLost = /was committed up to \d+, the store stands at/;
