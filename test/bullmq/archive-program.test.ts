import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { goldenCommands, goldenCount, goldenDump } from '../support/golden-streams.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

interface Contents {
  readonly commands: number;
  readonly sha256: string;
}

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const archived = { MACP_PERSIST_BULLMQ_ARCHIVE: 'archive' };
const lines = goldenCommands.trimEnd().split('\n');
const half = Math.floor(lines.length / 2);
const firstHalf = `${lines.slice(0, half).join('\n')}\n`;
const secondHalf = `${lines.slice(half).join('\n')}\n`;

async function only<Line>(program: BullmqProgram, words: readonly string[], input?: string): Promise<Line> {
  const [line] = await program.json<Line>(words, input === undefined ? {} : { input });
  if (line === undefined) throw new Error(`${words.join(' ')} said nothing`);
  return line;
}

/** What all that a store holds comes to. */
const contents = (program: BullmqProgram, store: string): Promise<Contents> =>
  only(program, ['export', '--store', store, '--to', `level:${store.replace(/\W/g, '-')}-copy`]);

async function dumpOf(program: BullmqProgram, store: string): Promise<string> {
  const { stdout } = await program.run(['sessions', 'dump', '--store', store]);
  return stdout;
}

test('the recorded streams: a store replayed from the archive, and from what still waits, is the live store', async () => {
  await using program = new BullmqProgram(redis.address, archived);
  await only(program, ['publish', '-'], firstHalf);
  await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:live']);
  await only(program, ['publish', '-'], secondHalf);
  const rebuilt = await only<Contents>(program, ['replay', '--to', 'level:rebuilt']);
  expect(rebuilt.commands).toBe(goldenCount);
  await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:live']);
  const live = await contents(program, 'level:live');
  expect(rebuilt.sha256).toBe(live.sha256);
  expect(await dumpOf(program, 'level:rebuilt')).toBe(goldenDump);
  expect(await only(program, ['replay', '--to', 'level:rebuilt'])).toMatchObject({ commands: 0 });
  expect(await only(program, ['replay', '--to', program.redis])).toMatchObject({ sha256: live.sha256 });

  expect(await program.run(['verify', 'level:live'])).toMatchObject({ code: 0 });
  // A store that is empty catches up from the archive as well.
  await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:anew']);
  expect(await contents(program, 'level:anew')).toMatchObject({ sha256: live.sha256 });

  const { queue } = await only<{ queue: { capabilities: object } }>(program, ['status', '--store', 'level:live']);
  expect(queue.capabilities).toMatchObject({ replayable: true });
  const { stdout: findings } = await program.run(['doctor', '--store', 'level:live']);
  expect(findings).toContain(`${goldenCount} commands that are gone from Redis`);

  // Redis has lost the queue: the archive alone makes the same store.
  const [folder = ''] = readdirSync(join(program.directory, 'archive'));
  const alone = ['--from', `archive:archive/${folder}`, '--queue', 'embedded'];
  expect(await only(program, ['replay', '--to', 'level:alone', ...alone])).toMatchObject({ sha256: live.sha256 });
  expect(await program.run(['verify', 'level:live', `archive:archive/${folder}`])).toMatchObject({ code: 0 });
});

test('three workers share one archive, and one that has another directory does not get to work', async () => {
  await using program = new BullmqProgram(redis.address, archived);
  const store = ['--store', program.redis];
  await only(program, ['publish', '-'], firstHalf);
  const workers = ['one', 'two', 'three'].map((name) =>
    program.start(['worker', '--json', '--log-level', 'debug', ...store, '--data-dir', name]),
  );
  await Promise.all(workers.map((worker) => worker.until(({ partitions }) => [2, 3].includes(partitions.length))));
  const apart = await program.run(['worker', ...store], { environment: { MACP_PERSIST_BULLMQ_ARCHIVE: 'elsewhere' } });
  expect(apart.code).not.toBe(0);
  expect(apart.stderr).toContain('INVALID_CONFIGURATION');
  await only(program, ['publish', '-'], secondHalf);
  await workers[0]?.stop('SIGKILL');
  await only(program, ['worker', '--exit-when-caught-up', ...store]);
  await Promise.all(workers.slice(1).map((worker) => worker.stop()));
  await only(program, ['worker', '--exit-when-caught-up', ...store]);
  expect(await dumpOf(program, program.redis)).toBe(goldenDump);
  const live = await contents(program, program.redis);
  expect(await only(program, ['replay', '--to', 'level:rebuilt'])).toMatchObject({ sha256: live.sha256 });
});

test('another number of shards begins another archive, and both together make the store', async () => {
  await using program = new BullmqProgram(redis.address, archived);
  await only(program, ['publish', '-'], firstHalf);
  await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:live']);
  const [first = ''] = readdirSync(join(program.directory, 'archive'));
  expect(await program.run(['repartition', '--bullmq-shards', '3'])).toMatchObject({ code: 0 });
  await only(program, ['publish', '-'], secondHalf);
  await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:live']);
  expect(readdirSync(join(program.directory, 'archive'))).toHaveLength(2);
  // What is there now is the end of the history: nothing takes it for the whole.
  for (const words of [
    ['replay', '--to', 'level:rebuilt'],
    ['replay', '--to', 'level:some', '--sessions', '*'],
    ['worker', '--exit-when-caught-up', '--store', 'level:empty'],
    ['verify', 'level:live'],
  ]) {
    expect(await program.run(words)).toMatchObject({ stderr: expect.stringContaining('SOURCE_LOST_HISTORY') });
  }
  for (const [target, ...selection] of [['level:rebuilt'], ['level:some', '--sessions', '*']] as const) {
    await only(program, ['replay', '--to', target, ...selection, '--from', `archive:archive/${first}`]);
    const after = await only(program, ['replay', '--to', target, ...selection]);
    expect(after).toMatchObject({ commands: goldenCount - half });
    expect(await dumpOf(program, target)).toBe(goldenDump);
  }
  expect(await program.run(['verify', 'level:rebuilt', 'level:live'])).toMatchObject({ code: 0 });
});
