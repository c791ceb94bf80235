import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { goldenCommands, goldenCount, goldenDump } from '../support/golden-streams.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import type { RunningProgram } from '../support/running-program.ts';

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function dumpOf(program: BullmqProgram, store: string): Promise<string> {
  const { code, stdout, stderr } = await program.run(['sessions', 'dump', '--store', store]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** How many deliveries a worker has committed. */
function committed({ log }: RunningProgram): number {
  return log.reduce((sum, { msg, deliveries }) => sum + (msg === 'committed' ? Number(deliveries) : 0), 0);
}

describe('the recorded streams, published through BullMQ, are persisted byte for byte', () => {
  test.each([
    ['level', () => 'level:filled'],
    ['Redis', ({ redis }: BullmqProgram) => redis],
  ])('by one worker into %s', async (_, storeOf) => {
    await using program = new BullmqProgram(redis.address);
    const store = storeOf(program);
    expect(await program.run(['publish', '-'], { input: goldenCommands })).toMatchObject({ code: 0 });
    const words = ['worker', '--exit-when-caught-up', '--store', store];
    const [worked] = await program.json<{ deliveries: number; tally: object }>(words);
    expect(worked).toMatchObject({
      deliveries: goldenCount,
      tally: { applied: goldenCount, duplicates: 0, parked: 0 },
    });
    expect(await dumpOf(program, store)).toBe(goldenDump);
  });

  test('by three workers that share a Redis and split the shards', async () => {
    await using program = new BullmqProgram(redis.address);
    const workers = ['one', 'two', 'three'].map((name) =>
      program.start(['worker', '--json', '--log-level', 'debug', '--store', program.redis, '--data-dir', name]),
    );
    await Promise.all(workers.map((worker) => worker.until(({ partitions }) => [2, 3].includes(partitions.length))));
    expect(await program.run(['publish', '-'], { input: goldenCommands })).toMatchObject({ code: 0 });
    const isOver = () => workers.reduce((sum, worker) => sum + committed(worker), 0) >= goldenCount;
    await Promise.race(workers.map((worker) => worker.until(isOver)));
    const endings = await Promise.all(workers.map((worker) => worker.stop()));
    const did = endings.map(({ code, stdout }) => ({ code, ...JSON.parse(stdout) }));
    for (const each of did) expect(each).toMatchObject({ code: 0, deliveries: expect.any(Number) });
    expect(Math.min(...did.map(({ deliveries }) => deliveries))).toBeGreaterThan(0);
    expect(did.reduce((sum, { tally }) => sum + tally.applied, 0)).toBe(goldenCount);
    expect(await dumpOf(program, program.redis)).toBe(goldenDump);
  });
});
