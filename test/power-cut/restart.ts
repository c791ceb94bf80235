import { cpSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutEverywhere, emptyDisk } from './cuts.ts';
import { writeImage } from './disk.ts';
import type { JournalRecord } from './journal.ts';
import { Random } from './random.ts';
import type { SmallStoreKind } from './small-stores.ts';
import { isSampled, lastMark, ownDirectories, promisedBy, seed, Workshop } from './workshop.ts';

/** The tests of a second crash, during the recovery from a first one, with a store of this kind. */
export function testRestarts(kind: SmallStoreKind): void {
  let workshop: Workshop;
  let whole: readonly JournalRecord[];
  const random = new Random(seed);

  beforeAll(async () => {
    workshop = await Workshop.open(`restart-${kind}`, 120, kind);
    const run = await workshop.run(workshop.directory());
    expect(run.outcome).toMatchObject({ code: 0, errors: '' });
    whole = run.journal;
  });
  afterAll(() => workshop.remove());

  /** Effect numbers spread over the whole run. */
  function spread(count: number): readonly number[] {
    const last = Math.max(...whole.map((record) => record.effect));
    return Array.from(
      { length: count },
      (_, part) => 1 + Math.floor(((part + random.below(1000) / 1000) * last) / count),
    );
  }

  /** Cuts the power during `second`, which followed `first` on the same disk; `start`: what that held before `first`. */
  async function cutDuring(
    first: readonly JournalRecord[],
    second: readonly JournalRecord[],
    start?: string,
  ): Promise<readonly string[]> {
    const { complaints } = await cutEverywhere([...first, ...second], {
      scratch: workshop.scratch,
      strict: ownDirectories,
      survival: (cut) => ({ kind: cut % 2 === 0 ? 'synced' : 'prefix', random: new Random(seed * 41 + cut) }),
      examined: (cut) => cut > first.length && isSampled(cut, 25),
      examine: (image, marked) => workshop.examine(image, marked),
      ...(start === undefined ? {} : { start }),
    });
    return complaints;
  }

  describe(`a power cut while a process recovers and goes on with a ${kind} store`, () => {
    test('from a kill at an effect: what it found unsynced it does not build upon', async () => {
      for (const killAt of spread(8)) {
        const directory = workshop.directory();
        const killed = await workshop.run(directory, { killAt, tear: random.below(3000) });
        expect(killed.outcome.signal).toBe('SIGKILL');
        const restarted = await workshop.run(directory);
        expect(restarted.outcome).toMatchObject({ code: 0, errors: '' });
        expect([killAt, ...(await cutDuring(killed.journal, restarted.journal))]).toEqual([killAt]);
      }
    });

    test('from an earlier power cut', async () => {
      for (const effect of spread(8)) {
        const disk = emptyDisk(workshop.scratch, ownDirectories);
        const before = whole.filter((record) => record.effect < effect);
        for (const record of before) disk.apply(record);
        const [start, directory] = [workshop.directory(), workshop.directory()];
        writeImage(disk.survivors({ kind: 'prefix', random: new Random(effect) }), start);
        cpSync(start, directory, { recursive: true });
        const restarted = await workshop.run(directory);
        expect(restarted.outcome).toMatchObject({ code: 0, errors: '' });
        const promise = before.filter((record) => record.kind === 'mark').slice(-1);
        expect([effect, ...(await cutDuring(promise, restarted.journal, start))]).toEqual([effect]);
      }
    });

    test('from a failed sync, whose bytes can still be read but are on no disk', async () => {
      const syncs = whole.filter(
        ({ kind }) => kind === 'fdatasync-begin' || kind === 'fsync-begin' || kind === 'directory-begin',
      );
      let failures = 0;
      for (let part = 0; part < 12; part += 1) {
        const { effect } =
          syncs[Math.floor(((part + random.below(1000) / 1000) * syncs.length) / 12)] ?? expect.unreachable();
        const directory = workshop.directory();
        const fault = { from: effect, until: effect + 1000, error: 'EIO', kinds: 's', short: false, times: 1 } as const;
        const failed = await workshop.run(directory, { fault });
        failures += failed.journal.filter((record) => record.kind === 'sync-failed').length;
        const restarted = await workshop.run(directory);
        expect(restarted.outcome).toMatchObject({ code: 0, errors: '' });
        expect([effect, ...(await cutDuring(failed.journal, restarted.journal))]).toEqual([effect]);
        expect(promisedBy(lastMark(restarted.journal)).acknowledged).toBe(workshop.lines.length);
      }
      // Where a run has fewer effects than the one before, the last of them may not come.
      expect(failures).toBeGreaterThan(10);
    });
  });
}
