import { readdirSync, renameSync } from 'node:fs';
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

const lostHistory = 10;
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
  // The shards of the one that was killed are nobody else's before its lease is over.
  await expect
    .poll(
      async () => {
        await only(program, ['worker', '--exit-when-caught-up', ...store]);
        return (await dumpOf(program, program.redis)) === goldenDump;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  const live = await contents(program, program.redis);
  expect(await only(program, ['replay', '--to', 'level:rebuilt'])).toMatchObject({ sha256: live.sha256 });
});

/** What is published between one change of the number of shards and the next. */
const pieces = [0, 1, 2, 3].map((piece) => {
  const at = (index: number) => Math.floor((lines.length * index) / 4);
  return `${lines.slice(at(piece), at(piece + 1)).join('\n')}\n`;
});

/** Changes the number of shards after each piece but the last. Returns the folders of the archive, oldest first. */
async function changedOften(program: BullmqProgram): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await only(program, ['repartition', '--bullmq-shards', `${[8, 3, 1, 5][index]}`]);
    await only(program, ['publish', '-'], piece);
    await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:live']);
    const found = readdirSync(join(program.directory, 'archive'));
    folders.push(...found.filter((folder) => !folders.includes(folder)));
  }
  expect(folders).toHaveLength(pieces.length);
  return folders;
}

test('after any number of changes of the shards, one command makes the live store from the archives', async () => {
  await using program = new BullmqProgram(redis.address, archived);
  const folders = await changedOften(program);
  const live = await contents(program, 'level:live');
  const rebuilt = await only(program, ['replay', '--to', 'level:rebuilt']);
  expect(rebuilt).toMatchObject({ commands: goldenCount, sha256: live.sha256 });
  expect(await dumpOf(program, 'level:rebuilt')).toBe(goldenDump);
  for (const words of [
    ['verify', 'level:live'],
    ['verify', 'level:rebuilt'],
    ['verify', 'level:rebuilt', 'level:live'],
  ]) {
    expect(await program.run(words)).toMatchObject({ code: 0 });
  }
  expect(await only(program, ['worker', '--exit-when-caught-up', '--store', 'level:rebuilt'])).toMatchObject({
    deliveries: 0,
  });
  await only(program, ['replay', '--to', 'level:some', '--sessions', '*']);
  expect(await dumpOf(program, 'level:some')).toBe(goldenDump);
  // Redis has lost the queue: the newest archive knows those before it.
  const alone = `archive:archive/${folders.at(-1)}`;
  const words = ['replay', '--to', 'level:alone', '--from', alone, '--queue', 'embedded'];
  expect(await only(program, words)).toMatchObject({ commands: goldenCount, sha256: live.sha256 });
  expect(await program.run(['verify', 'level:live', alone])).toMatchObject({ code: 0 });
});

test('an archive that is gone is named to whoever needs it, and a worker says what to do instead', async () => {
  await using program = new BullmqProgram(redis.address, archived);
  const folders = await changedOften(program);
  const empty = await program.run(['worker', '--exit-when-caught-up', '--store', 'level:empty']);
  expect(empty.code).toBe(lostHistory);
  expect(empty.stderr).toContain('macp-persist replay');
  await only(program, ['replay', '--to', 'level:half', '--until', '1970-01-01T00:00:00Z']);
  const [, second = ''] = folders;
  const away = join(program.directory, 'away');
  const back = join(program.directory, 'archive', second);
  renameSync(back, away);
  for (const words of [
    ['replay', '--to', 'level:rebuilt'],
    ['replay', '--to', 'level:half'],
    ['replay', '--to', 'level:some', '--sessions', '*'],
    ['replay', '--to', 'level:rebuilt', '--from', `archive:archive/${folders.at(-1)}`],
    ['verify', 'level:live'],
  ]) {
    expect(await program.run(words)).toMatchObject({ code: lostHistory, stderr: expect.stringContaining(second) });
  }
  renameSync(away, back);
  expect(await only(program, ['replay', '--to', 'level:half'])).toMatchObject({ commands: goldenCount });
  expect(await dumpOf(program, 'level:half')).toBe(goldenDump);
});
