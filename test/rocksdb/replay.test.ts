import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';

const golden = (path: string): string => join(root, 'test/fixtures/golden', path);
const expected = readFileSync(golden('v0.13.0/expected.ndjson'), 'utf8');

let directory = '';
const onRocksdb = { MACP_PERSIST_STORE: 'rocksdb' };
const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory, environment: onRocksdb });
const json = async (...words: readonly string[]): Promise<unknown> =>
  JSON.parse((await run(...words, '--json')).stdout);
const dump = async (): Promise<string> => (await run('sessions', 'dump')).stdout;

beforeEach(async () => {
  directory = freshDirectory();
  await run('publish', golden('v0.13.0/commands.ndjson'));
  await run('worker', '--exit-when-caught-up', '--log-level', 'error');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a replay into a rocksdb store has the digest of the live one; it is switched to, gone on with, and back', async () => {
  const live = await json('export', '--to', 'level:copy');
  const { sha256 } = live as { readonly sha256: string };
  expect(await json('replay', '--to', 'rocksdb:green')).toMatchObject({ commands: 940, sha256 });
  expect(await json('replay', '--to', 'rocksdb:green')).toMatchObject({ commands: 0, sha256 });
  await run('publish', golden('v0.4.0/commands.ndjson'));
  expect(await json('switch', '--to', 'rocksdb:green')).toMatchObject({ to: `rocksdb:${directory}/green`, behind: 0 });
  await run('worker', '--exit-when-caught-up', '--log-level', 'error');
  const both = await dump();
  expect(both.length).toBeGreaterThan(expected.length);
  await run('switch', '--back');
  expect(await dump()).toBe(expected);
  await run('worker', '--exit-when-caught-up', '--log-level', 'error');
  expect(await dump()).toBe(both);
});

test('a backup of another kind is not put into the place of a rocksdb store', async () => {
  await run('replay', '--to', 'level:green');
  const refused = await run('restore', './green', '--store', 'rocksdb:restored');
  expect([refused.code, refused.stderr]).toEqual([8, expect.stringContaining('is it a level store?')]);
  const after = await run('sessions', 'list', '--store', 'rocksdb:restored');
  expect([after.code, after.stderr]).toEqual([2, expect.stringContaining('there is no store')]);
});
