import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { useOneRedis } from '../support/one-redis.ts';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';
import { type OwnRedisCluster, startRedisCluster, uniquePrefix } from '../support/redis.ts';
import { dumpKeys } from '../support/redis-contents.ts';
import {
  clusterAt,
  clusterCapabilities,
  redisHarness,
  serverAt,
  standaloneCapabilities,
} from '../support/redis-harness.ts';
import { transferLaws } from '../support/transfer-laws.ts';
import { upstreamKeys, writeAsUpstream } from '../support/upstream-redis.ts';
import { goldenLines } from '../unit/wire/golden.ts';

const redis = useOneRedis();

describe('copies into and out of the redis store', () => {
  const harness = redisHarness(standaloneCapabilities, () => serverAt(redis.server.port));
  for (const { name, check } of transferLaws) test(name, () => check(harness));
});

describe('copies into and out of the redis store in a cluster', () => {
  let cluster: OwnRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const harness = redisHarness(clusterCapabilities, () => clusterAt(cluster.nodes.map(({ port }) => port)));
  for (const { name, check } of transferLaws) test(name, () => check(harness));
});

let directory = '';
let prefix = '';
beforeEach(() => {
  directory = freshDirectory();
  prefix = uniquePrefix();
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const dump = async (...words: readonly string[]): Promise<string> => (await run('sessions', 'dump', ...words)).stdout;
const url = (name: string): string => `redis://127.0.0.1:${redis.server.port}/0?prefix=${name}`;
const expected = (folder: string): string =>
  readFileSync(join(root, 'test/fixtures/golden', folder, 'expected.ndjson'), 'utf8');

describe.each(['v0.4.0', 'v0.13.0'] as const)('what %s wrote into Redis', (folder) => {
  beforeEach(async () => {
    for (const line of goldenLines(folder)) await writeAsUpstream(redis.client, prefix, line);
  });

  test('is copied into a store, and from there into keys that upstream cannot tell from its own', async () => {
    const before = await dumpKeys(redis.client, prefix);
    expect(await run('import', url(prefix), '--to', 'level:copy')).toMatchObject({ code: 0, stderr: '' });
    expect(await dump('--store', 'level:copy')).toBe(expected(folder));
    expect(await dumpKeys(redis.client, prefix)).toEqual(before);
    const other = uniquePrefix();
    expect(await run('export', '--store', 'level:copy', '--to', url(other))).toMatchObject({ code: 0, stderr: '' });
    expect(await upstreamKeys(redis.client, other)).toEqual(await upstreamKeys(redis.client, prefix));
    expect(await dump('--store', url(other))).toBe(expected(folder));
  });

  test('becomes commands, which make the same store, and the second time only duplicates', async () => {
    const before = await dumpKeys(redis.client, prefix);
    for (const tally of ['applied', 'duplicates']) {
      const { commands } = JSON.parse((await run('import', url(prefix), '--json')).stdout);
      const worked = await run('worker', '--exit-when-caught-up', '--json');
      expect(JSON.parse(worked.stdout).tally).toMatchObject({ parked: 0, [tally]: commands });
    }
    expect(await dump()).toBe(expected(folder));
    expect(await dumpKeys(redis.client, prefix)).toEqual(before);
  });
});

describe('what is refused, and left as it is', () => {
  test('a target that macp-runtime has written to', async () => {
    const [line] = goldenLines('v0.4.0');
    await writeAsUpstream(redis.client, prefix, line ?? Buffer.of());
    const before = await dumpKeys(redis.client, prefix);
    const other = uniquePrefix();
    await writeAsUpstream(redis.client, other, line ?? Buffer.of());
    const ending = await run('import', url(other), '--to', url(prefix));
    expect([ending.code, ending.stderr]).toEqual([2, expect.stringContaining('TARGET_NOT_EMPTY')]);
    expect(await dumpKeys(redis.client, prefix)).toEqual(before);
  });

  test('to publish into the very store that is imported', async () => {
    await writeAsUpstream(redis.client, prefix, goldenLines('v0.4.0')[0] ?? Buffer.of());
    const before = await dumpKeys(redis.client, prefix);
    const ending = await run('import', url(prefix), '--store', url(prefix));
    expect([ending.code, ending.stderr]).toEqual([3, expect.stringContaining('a second time')]);
    expect(await dumpKeys(redis.client, prefix)).toEqual(before);
  });

  test('a store of ours, an entry that is none, an id that is none', async () => {
    await run('import', url(prefix), '--to', 'level:copy');
    await redis.client.sadd(`${prefix}:sessions`, 'ada');
    await redis.client.rpush(`${prefix}:log:ada`, '{"message_id":1}');
    const malformed = await run('import', url(prefix));
    expect([malformed.code, malformed.stderr]).toEqual([3, expect.stringContaining(`${prefix}:log:ada, item 0`)]);
    await redis.client.sadd(`${prefix}:sessions`, 'a/b');
    expect((await run('import', url(prefix))).stderr).toContain('"a/b"');
    await redis.client.srem(`${prefix}:sessions`, 'a/b');
    await redis.client.del(`${prefix}:log:ada`);
    await run('sessions', 'list', '--store', url(prefix));
    expect((await run('import', url(prefix))).stderr).toContain('is a store of ours');
  });
});

test('receipts and anchors that a runtime stored in Redis come along both ways', async () => {
  await redis.client.sadd(`${prefix}:sessions`, 'ada');
  await redis.client.set(`${prefix}:receipt:ada`, Buffer.from([0, 255, 10]));
  await redis.client.set(`${prefix}:anchor:ada`, 'anchored', 'EX', 1000);
  const other = uniquePrefix();
  expect(await run('import', url(prefix), '--to', url(other))).toMatchObject({ code: 0 });
  expect(await redis.client.getBuffer(`${other}:receipt:ada`)).toEqual(Buffer.from([0, 255, 10]));
  expect(await redis.client.get(`${other}:anchor:ada`)).toBe('anchored');
  await run('import', url(prefix));
  await run('worker', '--exit-when-caught-up');
  const last = uniquePrefix();
  expect(await run('export', '--to', url(last))).toMatchObject({ code: 0 });
  expect(await redis.client.getBuffer(`${last}:receipt:ada`)).toEqual(Buffer.from([0, 255, 10]));
  expect(await redis.client.get(`${last}:anchor:ada`)).toBe('anchored');
});
