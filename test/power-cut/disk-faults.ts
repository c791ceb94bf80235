import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultReport } from './fault-report.ts';
import { runProgram } from './run.ts';
import { type Fault, faultText } from './shim.ts';
import type { SmallStoreKind } from './small-stores.ts';
import { isSampled, stream, Workshop } from './workshop.ts';

/** The tests of a disk that fails under the queue and a store of this kind. */
export function testDiskFaults(kind: SmallStoreKind): void {
  let workshop: Workshop;
  let effects: number;

  beforeAll(async () => {
    workshop = await Workshop.open(`faults-${kind}`, 120, kind);
    const run = await workshop.run(workshop.directory());
    expect(run.outcome).toMatchObject({ code: 0, errors: '' });
    effects = Math.max(...run.journal.map((record) => record.effect));
  });
  afterAll(() => workshop.remove());

  /** The same fault at each of the effects of the programme, or at a sample of them. */
  async function reports(every: number, fault: Omit<Fault, 'from' | 'until'>): Promise<readonly FaultReport[]> {
    const directory = workshop.directory();
    const control = `${directory}.control`;
    const faults = `${directory}.faults`;
    const numbers = Array.from({ length: effects }, (_, index) => index + 1).filter((number) =>
      isSampled(number, every),
    );
    writeFileSync(faults, JSON.stringify(numbers.map((from) => faultText({ ...fault, from, until: 1_000_000 }))));
    const program = [
      workshop.program('faults-program'),
      directory,
      control,
      stream,
      String(workshop.lines.length),
      faults,
      workshop.kind,
    ];
    const options = { directory, control, syncMicroseconds: 50 };
    const outcome = await runProgram(program, { library: workshop.library, options });
    const lines = outcome.output.split('\n').slice(0, -1);
    expect(outcome.errors).toBe('');
    expect(lines.length).toBe(numbers.length);
    return lines.map((line) => JSON.parse(line));
  }

  function complaintsOf(found: readonly FaultReport[]): readonly string[] {
    return found.flatMap(({ fault, complaints }) => complaints.map((complaint) => `${fault}: ${complaint}`));
  }

  describe(`a disk that fails while recorded sessions are published and persisted into a ${kind} store`, () => {
    test('an I/O error at any effect ends the process with its code, or does not matter; nothing acknowledged is lost', async () => {
      const found = await reports(4, { error: 'EIO', kinds: 'wscm', short: false, times: 1 });
      expect(complaintsOf(found)).toEqual([]);
      const endings = found.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'finished');
      expect(endings.filter((outcome) => !/^(QUEUE|STORE)_IO_FAILED /.test(outcome))).toEqual([]);
      expect(endings.length).toBeGreaterThan(found.length / 2);
    });

    test.each(['EIO', 'ENOSPC'] as const)(
      'a sync that fails with %s is never tried again: the process ends',
      async (error) => {
        const found = await reports(8, { error, kinds: 's', short: false, times: 1 });
        expect(complaintsOf(found)).toEqual([]);
        const endings = found.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'finished');
        expect(endings.filter((outcome) => !/^(QUEUE|STORE)_IO_FAILED /.test(outcome))).toEqual([]);
      },
    );

    test.each([
      ['at once', false],
      ['in the middle of a write', true],
    ])('a disk that is full for a while, %s, is waited for: all is persisted without a restart', async (_, short) => {
      const found = await reports(4, { error: 'ENOSPC', kinds: 'wc', short, times: 12 });
      expect(complaintsOf(found)).toEqual([]);
      expect(found.filter(({ outcome }) => outcome !== 'finished')).toEqual([]);
      expect(found.filter((report) => report.effects >= Number(report.fault.split(' ')[0])).length).toBeGreaterThan(
        found.length * 0.9,
      );
    });
  });
}
