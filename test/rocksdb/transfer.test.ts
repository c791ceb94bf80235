import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { fingerprint } from '../support/fingerprint.ts';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';
import { upstreamRecords, writeFromOutside } from '../support/rocksdb-contents.ts';
import { rocksdbHarness } from '../support/rocksdb-harness.ts';
import { transferLaws } from '../support/transfer-laws.ts';

const golden = join(root, 'test/fixtures/golden');

describe('copies into and out of the rocksdb store', () => {
  for (const { name, check } of transferLaws) test(name, () => check(rocksdbHarness));
});

let directory = '';
let upstream = '';
beforeEach(() => {
  directory = freshDirectory();
  upstream = join(directory, 'upstream');
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const dump = async (...words: readonly string[]): Promise<string> => (await run('sessions', 'dump', ...words)).stdout;
const place = (folder: string): void => cpSync(join(golden, folder, 'rocksdb-store'), upstream, { recursive: true });
const expected = (folder: string): string => readFileSync(join(golden, folder, 'expected.ndjson'), 'utf8');

describe.each(['v0.4.0', 'v0.13.0'] as const)('what %s wrote into RocksDB', (folder) => {
  beforeEach(() => place(folder));

  test('is copied into a store, and from there into families that upstream cannot tell from its own', async () => {
    const before = fingerprint(upstream);
    expect(await run('import', `rocksdb:${upstream}`, '--to', 'level:copy')).toMatchObject({ code: 0, stderr: '' });
    expect(await dump('--store', 'level:copy')).toBe(expected(folder));
    expect(fingerprint(upstream)).toEqual(before);
    expect(await run('export', '--store', 'level:copy', '--to', 'rocksdb:out')).toMatchObject({ code: 0, stderr: '' });
    expect(await upstreamRecords(join(directory, 'out'))).toEqual(await upstreamRecords(upstream));
    expect(await dump('--store', 'rocksdb:out')).toBe(expected(folder));
  });

  test('becomes commands, which make the same store, and the second time only duplicates', async () => {
    const before = fingerprint(upstream);
    for (const tally of ['applied', 'duplicates']) {
      const { commands } = JSON.parse((await run('import', `rocksdb:${upstream}`, '--json')).stdout);
      const worked = await run('worker', '--exit-when-caught-up', '--json');
      expect(JSON.parse(worked.stdout).tally).toMatchObject({ parked: 0, [tally]: commands });
    }
    expect(await dump()).toBe(expected(folder));
    expect(fingerprint(upstream)).toEqual(before);
  });
});

test('what is a store of ours, and what is no database, is refused', async () => {
  place('v0.13.0');
  await run('sessions', 'list', '--store', `rocksdb:${upstream}`);
  const ours = await run('import', `rocksdb:${upstream}`);
  expect([ours.code, ours.stderr]).toEqual([2, expect.stringContaining('is a store of ours')]);
  const nothing = await run('import', 'rocksdb:nothing');
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('nothing that macp-runtime wrote')]);
});

test('a gap in a log, and a session of which only a log is left, are seen', async () => {
  place('v0.4.0');
  const entries = (await upstreamRecords(upstream)).filter(({ cf }) => cf === 'logs');
  const [{ value } = { value: '' }] = entries;
  await writeFromOutside(upstream, (operations) => {
    operations.put('logs', Buffer.from('zz-log-only\0' + '00000000'), Buffer.from(value));
  });
  await run('import', `rocksdb:${upstream}`, '--to', 'level:copy');
  expect(await dump('--store', 'level:copy')).toContain('"session":null,"session_id":"zz-log-only"');
  await writeFromOutside(upstream, (operations) => {
    operations.put('logs', Buffer.from('zz-log-only\0' + '00000002'), Buffer.from(value));
  });
  const ending = await run('import', `rocksdb:${upstream}`);
  expect([ending.code, ending.stderr]).toEqual([3, expect.stringContaining('entry 00000001 should stand here')]);
});
