import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partitionOf } from '../../src/domain/partition.ts';
import type { Tally } from '../../src/domain/plan.ts';
import { addTally, emptyTally } from '../../src/domain/rule/tally.ts';
import type { ServiceStatus } from '../../src/ports/service.ts';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { goldenCommands, goldenCount, goldenDump } from '../support/golden-streams.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import type { RunningProgram } from '../support/running-program.ts';

interface Worked {
  readonly deliveries: number;
  readonly tally: Tally;
}

/** What all of the recorded commands come to: each is applied, once. */
const allApplied: Tally = { ...emptyTally(), applied: goldenCount };
const shards = 8;
/** How many of the recorded commands belong to each shard. */
const ofShard = Array<number>(shards).fill(0);
for (const line of goldenCommands.trimEnd().split('\n')) {
  const shard = partitionOf(JSON.parse(line).subject, shards);
  ofShard[shard] = (ofShard[shard] ?? 0) + 1;
}

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

async function publishAll(program: BullmqProgram): Promise<void> {
  const [published] = await program.json(['publish', '-'], { input: goldenCommands });
  expect(published).toMatchObject({ commands: goldenCount });
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
    await publishAll(program);
    const words = ['worker', '--exit-when-caught-up', '--store', store];
    expect(await program.json(words)).toMatchObject([{ deliveries: goldenCount, tally: allApplied }]);
    expect(await dumpOf(program, store)).toBe(goldenDump);
    expect(await program.json(words)).toMatchObject([{ deliveries: 0, commits: 0 }]);
  });

  test('by a service into memory', async () => {
    await using program = new BullmqProgram(redis.address);
    await publishAll(program);
    const service = program.start(['start', '--store', 'memory']);
    const url = await service.url();
    for (let lag = goldenCount; lag > 0; await wait(20)) {
      const answer = await fetch(`${url}/v1/admin/status`);
      lag = ((await answer.json()) as ServiceStatus).queue?.lag ?? goldenCount;
    }
    expect(await (await fetch(`${url}/v1/admin/dump`)).text()).toBe(goldenDump);
    expect(await service.stop()).toMatchObject({ code: 0 });
  });

  test('by three workers that share a Redis: each persists all of its shards, and nothing else', async () => {
    await using program = new BullmqProgram(redis.address, { MACP_PERSIST_BULLMQ_LEASE: '60s' });
    const workers = ['one', 'two', 'three'].map((name) =>
      program.start(['worker', '--json', '--log-level', 'debug', '--store', program.redis, '--data-dir', name]),
    );
    const isShared = () => [2, 3, 3].every((count, index) => sharesOf(workers)[index] === count);
    await Promise.race(workers.map((worker) => worker.until(isShared)));
    const owned = workers.map(({ partitions }) => partitions);
    expect(owned.flat().toSorted()).toEqual(ofShard.map((_, shard) => shard));
    await publishAll(program);
    const isOver = () => workers.reduce((sum, worker) => sum + committed(worker), 0) >= goldenCount;
    await Promise.race(workers.map((worker) => worker.until(isOver)));
    const endings = await Promise.all(workers.map((worker) => worker.stop()));
    expect(endings.map(({ code }) => code)).toEqual([0, 0, 0]);
    const did = endings.map(({ stdout }): Worked => JSON.parse(stdout));
    expect(did.map(({ deliveries }) => deliveries)).toEqual(
      owned.map((mine) => mine.reduce((sum, shard) => sum + (ofShard[shard] ?? 0), 0)),
    );
    const tally = emptyTally();
    for (const each of did) addTally(tally, each.tally);
    expect(tally).toEqual(allApplied);
    expect(await dumpOf(program, program.redis)).toBe(goldenDump);
  });
});

/** How many shards each of the workers has, ascending. */
function sharesOf(workers: readonly RunningProgram[]): readonly number[] {
  return workers.map(({ partitions }) => partitions.length).toSorted((one, other) => one - other);
}
