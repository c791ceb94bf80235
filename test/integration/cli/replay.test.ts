import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { fingerprint } from '../../support/fingerprint.ts';
import { type Ending, freshDirectory, runProgram } from '../../support/program.ts';

const golden = join(root, 'test/fixtures/golden');

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const dump = async (store: string): Promise<string> => (await run('sessions', 'dump', '--store', store)).stdout;
const report = async (...words: readonly string[]): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse((await run('replay', ...words, '--json')).stdout);

describe.each([
  ['v0.4.0', 'expected.ndjson'],
  ['v0.13.0', 'expected.ndjson'],
  ['edge', 'expected-verbatim.ndjson'],
])('the recorded stream %s', (folder, dumped) => {
  const commands = join(golden, folder, 'commands.ndjson');
  const expected = readFileSync(join(golden, folder, dumped), 'utf8');
  const count = readFileSync(commands, 'utf8').trimEnd().split('\n').length;

  test('makes the expected store, from the queue and straight from the file, and the digest of the live one', async () => {
    await run('publish', commands);
    await run('worker', '--exit-when-caught-up', '--log-level', 'error');
    const live = JSON.parse((await run('export', '--to', 'level:copy', '--json')).stdout);
    const before = fingerprint(join(directory, 'macp-persist-data/level'));
    const rebuilt = await report('--to', 'level:rebuilt');
    expect(rebuilt).toMatchObject({ commands: count, sessions: live.sessions, sha256: live.sha256 });
    expect(await dump('level:rebuilt')).toBe(expected);
    expect(await report('--to', 'file:in-files')).toMatchObject({ commands: count, sha256: live.sha256 });
    expect(await report('--to', 'level:filed', '--from', `ndjson:${commands}`)).toMatchObject({ commands: count });
    expect(await dump('level:filed')).toBe(expected);
    expect(fingerprint(join(directory, 'macp-persist-data/level'))).toEqual(before);
    for (const store of ['level:rebuilt', 'level:macp-persist-data/level']) {
      expect(await report('--to', store)).toMatchObject({ commands: 0, commits: 0, sha256: live.sha256 });
    }
  });
});

describe('replay', () => {
  const commands = join(golden, 'v0.13.0/commands.ndjson');
  beforeEach(() => run('publish', commands));

  test('says for people what it did, and shows nothing at all on standard error where it is short', async () => {
    const ending = await run('replay', '--to', 'level:rebuilt');
    expect(ending).toMatchObject({ code: 0, stderr: '' });
    expect(ending.stdout).toMatch(
      /^Replayed 940 commands in .*\nApplied 940, .*\nDead letters 0\.\nThe store holds 40 sessions\.\nSHA-256 .*\n$/,
    );
  });

  test('goes up to positions, then to the end, and a worker goes on from there', async () => {
    await report('--to', 'level:rebuilt', '--until', '0:10,3:5');
    const { commands: rest } = await report('--to', 'level:rebuilt');
    expect(rest).toBeGreaterThan(0);
    const worked = JSON.parse(
      (await run('worker', '--store', 'level:rebuilt', '--exit-when-caught-up', '--json')).stdout,
    );
    expect(worked).toMatchObject({ deliveries: 0 });
    expect(await dump('level:rebuilt')).toBe(readFileSync(join(golden, 'v0.13.0/expected.ndjson'), 'utf8'));
  });

  test('until a time before everything makes a store of nothing', async () => {
    const { sessions } = await report('--to', 'level:nothing', '--until', '2020-01-01T00:00:00Z');
    expect(sessions).toBe(0);
    expect(await report('--to', 'level:nothing', '--until', '2999-01-01T00:00:00Z')).toMatchObject({ sessions: 40 });
  });

  test('until a time, it says that what the target holds from after that time stays', async () => {
    const until = ['replay', '--to', 'level:rebuilt', '--until', '2020-01-01T00:00:00Z'];
    expect(await run(...until)).toMatchObject({ code: 0, stderr: '' });
    await run('replay', '--to', 'level:rebuilt');
    expect(await run(...until)).toMatchObject({ code: 0, stderr: expect.stringContaining('stays in it') });
    const based = await run('replay', '--to', 'level:other', '--base', 'level:rebuilt', ...until.slice(-2));
    expect([based.code, based.stderr]).toEqual([0, expect.stringContaining('stays in it')]);
  });

  test('of some sessions makes a store that no worker goes on from', async () => {
    const ids = (await dumpOfWhole()).slice(0, 3).map(({ session_id }) => session_id);
    expect(await report('--to', 'level:some', '--sessions', JSON.stringify(ids))).toMatchObject({ sessions: 3 });
    expect(await report('--to', 'level:begin', '--sessions', `${ids[0]?.slice(0, 8)}*`)).toMatchObject({ sessions: 1 });
    const refused = await run('worker', '--store', 'level:some', '--exit-when-caught-up', '--json');
    expect([refused.code, refused.stderr]).toEqual([14, expect.stringContaining('STORE_PARTIAL')]);
    const other = await run('replay', '--to', 'level:some');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('TARGET_NOT_EMPTY')]);
  });

  test.each([
    ['no target', [], 2, '--to STORE_URL'],
    ['no such source', ['--to', 'level:x', '--from', 'embedded:nowhere'], 2, 'there is no queue at'],
    ['a queue in memory', ['--to', 'level:x', '--from', 'memory:'], 2, 'holds nothing'],
    ['a store in memory', ['--to', 'memory:'], 2, 'would be lost'],
    ['no such file', ['--to', 'level:x', '--from', 'ndjson:nowhere'], 3, 'cannot be read'],
    ['an end that is none', ['--to', 'level:x', '--until', 'yesterday'], 2, 'neither a time'],
    ['a partition with two ends', ['--to', 'level:x', '--until', '1:2,1:3'], 2, 'twice'],
    ['a session that cannot be', ['--to', 'level:x', '--sessions', 'a/b'], 2, 'no session id'],
  ])('refuses %s', async (_, words, code, says) => {
    const ending = await run('replay', ...words);
    expect([ending.code, ending.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  async function dumpOfWhole(): Promise<readonly { readonly session_id: string }[]> {
    await report('--to', 'level:whole');
    return (await dump('level:whole'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
  }
});
