import { expect, test } from 'vitest';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { startRedis } from '../support/redis.ts';

const unfit = 14;

test('doctor tells the version of Redis and what of it is as it should be', async () => {
  await using redis = await startRedis({ maxmemory: '100mb' });
  await using program = new BullmqProgram(redis.address);
  const { stdout } = await program.run(['doctor']);
  expect(stdout).toMatch(
    /^ok +bullmq +version 7\S*, appendonly yes, appendfsync always, maxmemory-policy noeviction, .*: what it acknowledges survives a power cut$/m,
  );
});

test.each([
  ['maxmemory-policy', 'allkeys-lru', { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }],
  ['appendonly', 'no', { appendonly: 'no' }],
  ['appendfsync', 'everysec', { appendfsync: 'everysec' }],
])('doctor, and whoever opens the queue, warns of a Redis whose %s is %s', async (setting, value, settings) => {
  await using redis = await startRedis(settings);
  await using program = new BullmqProgram(redis.address);
  const { stdout } = await program.run(['doctor']);
  expect(stdout).toMatch(new RegExp(`^warning +bullmq +${setting} is ${value}`, 'm'));
  const worked = await program.run(['worker', '--exit-when-caught-up']);
  expect([worked.code, worked.stderr]).toEqual([0, expect.stringContaining(`${setting} is ${value}`)]);
});

test('doctor finds the archive, and that it is missing', async () => {
  await using redis = await startRedis();
  await using program = new BullmqProgram(redis.address, { MACP_PERSIST_BULLMQ_ARCHIVE: 'archive' });
  const doctor = async (environment: Readonly<Record<string, string>> = {}) => {
    const { code, stdout } = await program.run(['doctor'], { environment });
    return { code, archive: stdout.split('\n').find((line) => /^\w+ +archive {3}/.test(line)) };
  };
  expect((await doctor()).archive).toMatch(/^ok .*there is none in .* yet/);
  await program.json(['worker', '--exit-when-caught-up']);
  expect((await doctor()).archive).toMatch(/^ok .*0 commands that are gone from Redis/);
  for (const change of [false, true]) {
    if (change) await program.json(['repartition', '--bullmq-shards', '3']);
    const elsewhere = await doctor({ MACP_PERSIST_BULLMQ_ARCHIVE: 'elsewhere' });
    expect(elsewhere.archive).toMatch(/^problem .*INVALID_CONFIGURATION/);
    expect(elsewhere.code).toBe(unfit);
  }
  expect((await doctor()).archive).toMatch(/^ok .*there is none in .* yet/);
});
