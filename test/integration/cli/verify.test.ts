import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { type Ending, freshDirectory, runProgram } from '../../support/program.ts';

const golden = join(root, 'test/fixtures/golden/v0.13.0');
const session = '065d8dd6-08ad-74d1-96af-8128957bae70';

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function persistGolden(): Promise<void> {
  await run('publish', join(golden, 'commands.ndjson'));
  await run('worker', '--exit-when-caught-up');
}

test('two stores of the same commands are the same, whatever their kinds, and it ends with 0', async () => {
  await persistGolden();
  await run('worker', '--exit-when-caught-up', '--store', 'file:rebuilt');
  const { code, stdout } = await run('verify', 'level:macp-persist-data/level', 'file:rebuilt');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^40 sessions, the same in both\.\nSHA-256 ([0-9a-f]{64}) .*\nSHA-256 \1 .*\n$/);
});

test('what differs is named, for people and for programs, and it ends with 15', async () => {
  await persistGolden();
  cpSync(join(directory, 'macp-persist-data/level'), join(directory, 'before'), { recursive: true });
  const entry =
    '{"message_id":"new","received_at_ms":1,"sender":"a","message_type":"m","raw_payload":[],"entry_kind":"Internal"}';
  await runProgram(['publish', '-', '--as', '//late/writer'], {
    directory,
    input: `{"specversion":"1.0","id":"x","source":"//me","type":"macp.log.append.v1","subject":"${session}","data":${entry}}\n`,
  });
  const words = ['verify', 'level:before', 'level:macp-persist-data/level'];
  const { code, stdout } = await run(...words);
  expect(code).toBe(15);
  expect(stdout).toContain(`only in second  session ${session}: entry 1\n`);
  expect(stdout).toContain('40 sessions, of which 1 differ');
  const asJson = await run(...words, '--json');
  expect(asJson.code).toBe(15);
  const [first, ...others] = lines(asJson.stdout);
  expect(first).toMatchObject({ session_id: session, part: 'entry', item: 1, relation: 'only in second' });
  expect(others.at(-1)).toMatchObject({ sessions: 40, different_sessions: 1, differences: others.length });
});

test('what macp-runtime wrote by itself is compared by what it says, and not touched', async () => {
  cpSync(join(golden, 'file-store'), join(directory, 'runtime'), { recursive: true });
  await run('import', 'file:runtime', '--to', 'level:imported');
  const { code, stderr } = await run('verify', 'file:runtime', 'level:imported');
  expect([code, stderr]).toEqual([0, expect.stringContaining('read as macp-runtime reads it')]);
  expect((await run('import', 'file:runtime')).code).toBe(0);
});

test('a store is compared with its queue, and with a file of its commands', async () => {
  await persistGolden();
  for (const source of [[], [`ndjson:${join(golden, 'commands.ndjson')}`]]) {
    const { code, stdout } = await run('verify', 'level:macp-persist-data/level', ...source);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^40 sessions, the same in both\.\n/)]);
  }
  await run('publish', join(golden, 'commands.ndjson'));
  const behind = await run('verify', 'level:macp-persist-data/level', '--json');
  expect(behind.code).toBe(0);
  expect(lines(behind.stdout)).toEqual([expect.objectContaining({ differences: 0, unconsumed_records: 940 })]);
});

test('one store is examined in itself: what waits is told, and it ends with 15', async () => {
  await persistGolden();
  const right = await run('verify', '--deep', 'level:macp-persist-data/level');
  expect(right).toMatchObject({ code: 0, stdout: '40 sessions examined: nothing wrong.\n' });
  const event = (sequence: number): string =>
    `{"specversion":"1.0","id":"a/1/${sequence}","source":"//w","type":"macp.session.create.v1","subject":"a","macpsequence":${sequence},"macpepoch":1}\n`;
  await runProgram(['publish', '-'], { directory, input: event(1) + event(3) });
  await run('worker', '--exit-when-caught-up');
  const { code, stdout } = await run('verify', '--deep', 'level:macp-persist-data/level', '--json');
  expect(code).toBe(15);
  expect(lines(stdout)).toEqual([
    { finding: 'hole', session_id: 'a', part: 'session', item: null, detail: 'number 2 never came; 1 commands wait' },
    { sessions: 41, findings: 1 },
  ]);
});

test('a store is not compared with itself, nor with what is none', async () => {
  await persistGolden();
  const store = 'level:macp-persist-data/level';
  expect((await run('verify', store, store)).code).toBe(2);
  expect((await run('verify', store, 'level:nothing')).code).toBe(2);
  expect((await run('verify')).code).toBe(2);
  expect((await run('verify', store, 'nonsense:')).code).toBe(2);
});
