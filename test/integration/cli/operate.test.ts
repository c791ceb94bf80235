import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { append, create, entryText } from '../../support/commands.ts';
import { freshDirectory, runProgram, startProgram } from '../../support/program.ts';
import { type RunningService, startService } from '../../support/service.ts';

let directory = '';
let service: RunningService;
const gaps = ['gap-1', 'gap-2'];
const fight = 'two-writers';
const input = (commands: readonly Command[]): string =>
  `${commands.map((command) => Buffer.from(encodeEvent(command)).toString()).join('\n')}\n`;

const run = (...words: string[]) => runProgram(words, { directory });
const json = async (...words: string[]) => {
  const { stdout, stderr } = await run(...words, '--json');
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

beforeAll(async () => {
  directory = freshDirectory();
  const commands = [
    ...gaps.flatMap((session) => [create(1, { session }), append(3, 'waits', { session })]),
    create(1, { session: fight }),
    append(2, 'one', { session: fight }),
    append(2, 'other', { session: fight }),
    create(1, { session: 'free' }),
  ];
  await runProgram(['publish', '-'], { directory, input: input(commands) });
  await run('worker', '--exit-when-caught-up');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The same with the data at rest, and with a process that has it open. */
describe.each(['at rest', 'running'])('a system %s', (how) => {
  const isRunning = how === 'running';
  const [gap = ''] = isRunning ? gaps.slice(1) : gaps;
  beforeAll(async () => {
    if (isRunning) service = await startService([], { directory });
  });
  afterAll(async () => {
    if (isRunning) await service.stop();
  });

  test('lists what is blocked, and why', async () => {
    expect((await run('sessions', 'list', '--blocked')).stdout.split('\n')).toEqual(
      expect.arrayContaining([gap, fight]),
    );
    const { stdout } = await run('sessions', 'list', '--blocked', '--long');
    expect(stdout).toContain(
      `${gap}  no snapshot, last sequence 1, 0 entries; number 2 has not come, a later one waits\n`,
    );
    expect(stdout).not.toContain('free');
    expect(await json('sessions', 'list', '--long', '--state', 'Open')).toEqual([]);
  }, 60_000);

  test('shows what it takes to free a session', async () => {
    const { stdout } = await run('sessions', 'show', fight);
    expect(stdout).toMatch(/^blocked +halted by a conflict until a claim$/m);
    expect(stdout).toMatch(/^to free it +.*claim/m);
    expect((await run('sessions', 'show', gap)).stdout).toContain(
      `macp-persist dead-letters skip ${gap} --sequence 2 --by NAME --reason TEXT`,
    );
    expect((await run('sessions', 'show', 'free')).stdout).not.toContain('to free it');
  });

  test('lists dead letters with their counts, and shows one with its data', async () => {
    const [letter, totals] = await json('dead-letters', 'list', '--reason', 'conflict');
    expect(letter).toMatchObject({ reason: 'conflict', session_id: fight, sequence: 2 });
    expect(totals).toMatchObject({ totals: { conflict: 1 } });
    const listed = await run('dead-letters', 'list');
    expect(listed.stderr).toBe('');
    expect(listed.stdout).toContain(`${letter.id}  conflict, open: session ${fight}, number 2: `);
    expect(listed.stdout).toMatch(/\nIn the whole store: conflict 1(, .*)?\.\n$/);
    expect((await run('dead-letters', 'show', letter.id)).stdout).toMatch(/^to free it +.*claim/m);
    expect((await run('dead-letters', 'show', letter.id, '--session', fight, '--data')).stdout).toBe(
      entryText('other'),
    );
    expect((await run('dead-letters', 'list', '--session', gap)).stdout).not.toContain('conflict,');
  });

  test('passes a number over, once, and says so', async () => {
    const words = ['dead-letters', 'skip', gap, '--sequence', '2', '--by', 'me', '--reason', 'it is gone'];
    expect(await run(...words)).toEqual({
      code: 0,
      stderr: '',
      stdout: `Number 2 is passed over in session ${gap}.\n`,
    });
    expect(await json('sessions', 'show', gap)).toMatchObject([{ last_sequence: 3, decisions: 1, blocked: null }]);
    const again = await run(...words, '--json');
    expect(again).toMatchObject({ code: 4, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'NOT_OPEN', exit_code: 4 } });
  });

  test('tells its status', async () => {
    const [status] = await json('status');
    expect(status).toMatchObject({
      mode: isRunning ? 'start' : 'none',
      queue: { lag: 0 },
      totals: { sessions: 4, halted: 1, dead_letters: { conflict: 1 } },
    });
    const { stdout } = await run('status');
    expect(stdout).toMatch(isRunning ? /^runs +start, process \d+/m : /^runs +nothing$/m);
    expect(stdout).toMatch(/^dead letters +conflict 1/m);
  });

  test('is copied, and the copy is a store', async () => {
    const [summary] = await json('backup', `copy-${isRunning}`);
    expect(existsSync(join(directory, 'macp-persist-data', 'backups', `copy-${isRunning}`))).toBe(true);
    const { stdout } = await run('sessions', 'list', '--store', `level:${summary.directory}`);
    expect(stdout).toBe((await run('sessions', 'list')).stdout);
    expect((await run('backup', '../outside')).code).toBe(2);
  });

  test('is in order for the doctor, but for its blocked sessions', async () => {
    const [{ findings, counts }] = await json('doctor', '--http-port', isRunning ? new URL(service.url).port : '0');
    expect(counts.problem).toBe(0);
    expect(findings).toContainEqual(expect.objectContaining({ subject: 'sessions', result: 'warning' }));
  });
});

describe('a log', () => {
  test('is followed through the process that adds to it, until Ctrl-C', async () => {
    const running = await startService([], { directory });
    const child = startProgram(['sessions', 'log', fight, '--follow'], { directory });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe(entryText('one'));
    const added = { ...append(1, 'added', { session: fight }) };
    const event = Buffer.from(encodeEvent(added))
      .toString()
      .replaceAll(/,"macp(?:sequence|epoch)":"[0-9]+"/g, '');
    expect(await runProgram(['publish', '-', '--as', '//new/1'], { directory, input: event })).toMatchObject({
      code: 0,
    });
    expect((await lines.next()).value).toBe(entryText('added'));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
    const some = await run('sessions', 'log', fight, '--follow', '--limit', '1', '--from', '1');
    expect(some).toMatchObject({ code: 0, stdout: `${entryText('added')}\n` });
    expect(await running.stop()).toBe(0);
  }, 60_000);

  test('cannot be followed where nobody adds to it', async () => {
    const ending = await run('sessions', 'log', fight, '--follow');
    expect(ending).toMatchObject({ code: 6, stdout: '' });
    expect(ending.stderr).toContain('macp-persist start');
  });
});

describe('a repair', () => {
  test('brings other data for the open number', async () => {
    const session = 'to-repair';
    const commands = [create(1, { session }), append(3, 'waits', { session })];
    await runProgram(['publish', '-'], { directory, input: input(commands) });
    await run('worker', '--exit-when-caught-up');
    const words = ['dead-letters', 'repair', session, '-', '--sequence', '2', '--type', 'macp.log.append.v1'];
    const ending = await runProgram(words, { directory, input: entryText('repaired') });
    expect(ending).toEqual({ code: 0, stderr: '', stdout: `Number 2 is repaired in session ${session}.\n` });
    expect((await run('sessions', 'log', session)).stdout).toBe(`${entryText('repaired')}\n${entryText('waits')}\n`);
  });

  test.each([
    [['dead-letters', 'skip', 'x'], '--sequence N: it is missing'],
    [['dead-letters', 'skip', 'x', '--sequence', '0', '--by', 'a', '--reason', 'b'], 'not a whole number from 1 on'],
    [['dead-letters', 'skip', 'x', '--sequence', '1', '--by', ' ', '--reason', 'b'], 'says nothing'],
    [
      ['dead-letters', 'repair', 'x', '-', '--sequence', '1', '--type', 'macp.log.apend.v1'],
      'did you mean macp.log.append.v1?',
    ],
    [['dead-letters', 'list', '--reason', 'refsed'], 'did you mean refused?'],
    [['completion', 'bahs'], 'did you mean bash?'],
  ])('%j is refused: %s', async (words, text) => {
    const ending = await run(...words);
    expect(ending).toMatchObject({ code: 2, stdout: '' });
    expect(ending.stderr).toContain(text);
  });
});

describe('what goes wrong', () => {
  test('is told as one JSON line where JSON is asked for', async () => {
    const refused = await runProgram(['publish', '-', '--json'], { directory, input: '{}\n' });
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { code: 'INVALID_INPUT', exit_code: 3, lines: [{ line: 1 }] },
    });
    const mistaken = await run('sessions', 'lst', '--json');
    expect(JSON.parse(mistaken.stderr)).toMatchObject({ error: { code: 'INVALID_CONFIGURATION', exit_code: 2 } });
    const settings = await run('status', '--json', '--log-level', 'loud');
    expect(JSON.parse(settings.stderr).error.mistakes).toMatchObject([{ source: '--log-level' }]);
  });

  test('a store in memory holds nothing that could be listed', async () => {
    const ending = await run('sessions', 'list', '--store', 'memory');
    expect(ending).toMatchObject({ code: 2, stdout: '' });
    expect(ending.stderr).toContain('in memory');
  });

  test('the doctor tells of settings that are wrong, and of problems with its own exit code', async () => {
    const wrong = await run('doctor', '--log-level', 'loud');
    expect(wrong.code).toBe(2);
    expect(wrong.stdout).toMatch(/^problem +configuration +--log-level: .*loud/m);
    const unfit = await run('doctor', '--http-host', '0.0.0.0', '--http-port', '0');
    expect(unfit.code).toBe(14);
    expect(unfit.stdout).toContain('change: name a file of tokens with http.tokens');
  });
});
