import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceStatus } from '../../src/ports/service.ts';
import { goldenCommands as commands, goldenCount as count, goldenDump as expected } from '../support/golden-streams.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { TopicProgram } from '../support/topic-program.ts';

let program: TopicProgram;
beforeAll(async () => {
  program = await TopicProgram.init(8);
});
afterAll(() => program[Symbol.asyncDispose]());

/** The words for a store, a group of its own and a directory of its own. */
function into(store: string, name: string, group: string = name): readonly string[] {
  return ['--store', store, '--kafka-group', `${program.topic}-${group}`, '--data-dir', name];
}

async function dumpOf(store: string): Promise<string> {
  const { code, stdout, stderr } = await program.run(['sessions', 'dump', '--store', store]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** How many deliveries a worker has committed. */
function committed({ log }: RunningProgram): number {
  return log.reduce((sum, { msg, deliveries }) => sum + (msg === 'committed' ? Number(deliveries) : 0), 0);
}

/** Comes first: three workers share out what is published once they have shared out the partitions. */
test('three workers that share a Redis split the recorded streams, and the store is the expected one', async () => {
  const store = `${program.redis}-shared`;
  const workers = ['one', 'two', 'three'].map((name) =>
    program.start(['worker', '--json', '--log-level', 'debug', ...into(store, name, 'shared')]),
  );
  await Promise.all(workers.map((worker) => worker.until(({ partitions }) => [2, 3].includes(partitions.length))));
  expect(await program.run(['publish', '-'], { input: commands })).toMatchObject({ code: 0 });
  const isOver = () => workers.reduce((sum, worker) => sum + committed(worker), 0) >= count;
  await Promise.race(workers.map((worker) => worker.until(isOver)));
  const endings = await Promise.all(workers.map((worker) => worker.stop()));
  const did = endings.map(({ code, stdout }) => ({ code, ...JSON.parse(stdout) }));
  for (const each of did) expect(each).toMatchObject({ code: 0, deliveries: expect.any(Number) });
  expect(Math.min(...did.map(({ deliveries }) => deliveries))).toBeGreaterThan(0);
  expect(did.reduce((sum, { tally }) => sum + tally.applied, 0)).toBe(count);
  expect(await dumpOf(store)).toBe(expected);
});

describe('the recorded streams, published through Kafka, are persisted byte for byte', () => {
  test.concurrent.each([
    ['level', () => 'level:filled'],
    ['Redis', () => program.redis],
  ])('by one worker into %s', async (name, store) => {
    const words = ['worker', '--exit-when-caught-up', ...into(store(), name)];
    const [worked] = await program.json<{ deliveries: number; tally: object }>(words);
    expect(worked).toMatchObject({ deliveries: count, tally: { applied: count, duplicates: 0, parked: 0 } });
    expect(await dumpOf(store())).toBe(expected);
  });

  test.concurrent('by a service into memory', async () => {
    const service = program.start(['start', ...into('memory', 'memory')]);
    const url = await service.url();
    for (let lag = count; lag > 0; await wait(20)) {
      const answer = await fetch(`${url}/v1/admin/status`);
      lag = ((await answer.json()) as ServiceStatus).queue?.lag ?? count;
    }
    expect(await (await fetch(`${url}/v1/admin/dump`)).text()).toBe(expected);
    expect(await service.stop()).toMatchObject({ code: 0 });
  });
});
