import { expect, test } from 'vitest';
import type { Writer } from '../../src/domain/identifiers.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { Publishing } from '../../src/service/publishing.ts';
import { WorkingSystem } from '../support/working-system.ts';

// The time for the claims came on top of the time for the outcome: of the longest wait that may be asked for, one
// minute, they made two, after which the connection is taken for dead.
test('a publish that waits for its outcome waits no longer for that than is left after its claims', async () => {
  await using system = new WorkingSystem().work();
  let passed = 0;
  const waits: number[] = [];
  const clock: Clock = {
    now: () => systemClock.now(),
    elapsed: () => passed,
    sleep: (milliseconds, signal) => {
      if (milliseconds > 10_000) waits.push(milliseconds);
      return systemClock.sleep(milliseconds, signal);
    },
  };
  const queue = {
    publish: (...given: Parameters<typeof system.queue.publish>) => {
      passed += 20_000;
      return system.queue.publish(...given);
    },
    whenWritable: (signal?: AbortSignal) => system.queue.whenWritable(signal),
  };
  await using publishing = new Publishing({ queue, watch: system.watch, clock, writer: '//test/service' as Writer });
  const event = { specversion: '1.0', id: '1', source: '//any', type: 'macp.session.create.v1', subject: 's' };
  const events = [Buffer.from(JSON.stringify(event))];
  const results = await publishing.publish({ events, until: 'applied', timeout: 60_000 });
  expect(results).toMatchObject([{ outcome: 'applied', sequence: 1 }]);
  // A claim and the command were published meanwhile.
  expect(waits).toEqual([60_000, 20_000]);
});
