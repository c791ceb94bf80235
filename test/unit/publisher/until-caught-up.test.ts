import { expect, test } from 'vitest';
import { untilCaughtUp } from '../../../src/publisher/until-caught-up.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { WorkingSystem } from '../../support/working-system.ts';

test('where a queue ended is told of partitions as well from which everything was removed', async () => {
  await using system = new WorkingSystem({});
  const bounds = new Map([
    [0, { start: 7, end: 7 }],
    [1, { start: 0, end: 0 }],
  ]);
  const queue = Object.assign(Object.create(system.queue), { bounds: async () => bounds });
  const ends = await untilCaughtUp(queue, createMemoryStore(), new FakeClock(), new AbortController().signal);
  expect(ends).toEqual(
    new Map([
      [0, 7],
      [1, 0],
    ]),
  );
});
