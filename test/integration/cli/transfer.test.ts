import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { wireLimits } from '../../../src/domain/command.ts';
import { fingerprint } from '../../support/fingerprint.ts';
import { type Ending, freshDirectory, runProgram } from '../../support/program.ts';

const golden = join(root, 'test/fixtures/golden');
const expected = (folder: string): string => readFileSync(join(golden, folder, 'expected.ndjson'), 'utf8');

let directory = '';
let upstream = '';
beforeEach(() => {
  directory = freshDirectory();
  upstream = join(directory, 'upstream');
});
afterEach(() => rmSync(directory, { recursive: true }));

const place = (folder: string): void => cpSync(join(golden, folder, 'file-store'), upstream, { recursive: true });
const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const dump = async (...words: readonly string[]): Promise<string> => (await run('sessions', 'dump', ...words)).stdout;
const work = async (): Promise<{ tally: Readonly<Record<string, unknown>> }> =>
  JSON.parse((await run('worker', '--exit-when-caught-up', '--json')).stdout);
/** The one session with the name that sorts first, and its files. */
const aSession = (): string => join(upstream, 'sessions', readdirSync(join(upstream, 'sessions')).sort()[0] ?? '');

describe.each(['v0.4.0', 'v0.13.0'])('what %s wrote into files', (folder) => {
  beforeEach(() => place(folder));

  test('becomes commands, which make the same store, and the second time only duplicates', async () => {
    const before = fingerprint(upstream);
    const first = await run('import', `file:${upstream}`, '--json');
    const { commands, sessions } = JSON.parse(first.stdout);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(sessions).toBe(expected(folder).trimEnd().split('\n').length);
    expect((await work()).tally).toMatchObject({ applied: commands, duplicates: 0, parked: 0 });
    expect(await dump()).toBe(expected(folder));
    expect(await run('import', `file:${upstream}`, '--json')).toEqual(first);
    expect((await work()).tally).toMatchObject({ applied: 0, duplicates: commands });
    expect(await dump()).toBe(expected(folder));
    expect(fingerprint(upstream)).toEqual(before);
  });

  test('is copied straight into a store, and the digest is the one of that store', async () => {
    const before = fingerprint(upstream);
    const copied = await run('import', `file:${upstream}`, '--to', 'level:copy', '--json');
    expect(copied).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(copied.stdout);
    expect(report).toMatchObject({ from: `file:${upstream}`, to: `level:${directory}/copy`, passed_over: 0 });
    expect(await dump('--store', 'level:copy')).toBe(expected(folder));
    expect(fingerprint(upstream)).toEqual(before);
    const exported = JSON.parse((await run('export', '--store', 'level:copy', '--to', 'level:other', '--json')).stdout);
    expect(exported).toMatchObject({ sha256: report.sha256, sessions: report.sessions, bytes: report.bytes });
    expect(await dump('--store', 'level:other')).toBe(expected(folder));
  });
});

describe('import', () => {
  beforeEach(() => place('v0.13.0'));

  test('prints commands that publish takes', async () => {
    const printed = await run('import', `file:${upstream}`, '--print');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(directory, 'commands.ndjson'), printed.stdout);
    expect(await run('publish', 'commands.ndjson')).toMatchObject({ code: 0 });
    await work();
    expect(await dump()).toBe(expected('v0.13.0'));
    // Nothing but the same.
    await run('import', `file:${upstream}`);
    expect((await work()).tally).toMatchObject({ applied: 0, deadLetters: { fenced: 0, conflict: 0 } });
  });

  test('of a receipt and an anchor brings both', async () => {
    const session = aSession();
    writeFileSync(join(session, 'receipt.json'), '{"receipt": 1}');
    writeFileSync(join(session, 'anchor.json'), Buffer.from([0, 1, 255]));
    const id = session.slice(session.lastIndexOf('/') + 1);
    await run('import', `file:${upstream}`);
    await work();
    await run('import', `file:${upstream}`, '--to', 'level:copy');
    await run('export', '--to', 'level:copied-again');
    for (const store of ['level:macp-persist-data/level', 'level:copy', 'level:copied-again']) {
      const shown = JSON.parse((await run('sessions', 'show', id, '--store', store, '--json')).stdout);
      expect(shown).toMatchObject({ has_receipt: true, has_anchor: true });
    }
  });

  test('of content that was changed since is fenced, session by session, and never mixed', async () => {
    await run('import', `file:${upstream}`);
    await work();
    const log = join(aSession(), 'log.jsonl');
    appendFileSync(log, readFileSync(log));
    const { commands } = JSON.parse((await run('import', `file:${upstream}`, '--json')).stdout);
    const { tally } = await work();
    expect(tally).toMatchObject({ applied: 0, deadLetters: { fenced: expect.any(Number), conflict: 0 } });
    expect(tally['duplicates']).toBeGreaterThan(0);
    expect(tally['duplicates']).toBeLessThan(commands);
    expect(await dump()).toBe(expected('v0.13.0'));
  });

  test('sends nothing where one session cannot be read, and names the place', async () => {
    appendFileSync(join(aSession(), 'log.jsonl'), '{"half":\n{}\n');
    const ending = await run('import', `file:${upstream}`);
    expect(ending).toMatchObject({ code: 3, stdout: '' });
    expect(ending.stderr).toMatch(
      /one session cannot be sent, so nothing was sent:\n {2}.*log\.jsonl:\d+: this log entry/,
    );
    expect(readdirSync(directory)).toEqual(['upstream']);
  });

  test.each(['level:upstream/sessions/x', 'file:upstream', 'rocksdb:upstream/.macp-persist/x'])(
    'is not copied to %s, where it would become a part of what was copied',
    async (to) => {
      const before = fingerprint(upstream);
      const ending = await run('import', `file:${upstream}`, '--to', to);
      expect([ending.code, ending.stderr]).toEqual([2, expect.stringContaining('would be copied into itself')]);
      expect(fingerprint(upstream)).toEqual(before);
      expect(await run('import', `file:${upstream}`, '--to', 'level:upstream/level')).toMatchObject({ code: 0 });
    },
  );

  test('goes on being possible where a worker has refused to take it over', async () => {
    const log = join(aSession(), 'log.jsonl');
    const whole = readFileSync(log);
    writeFileSync(log, `{"half":\n${whole}`);
    const refused = await run('worker', '--store', `file:${upstream}`, '--exit-when-caught-up');
    expect([refused.code, refused.stderr]).toEqual([8, expect.stringContaining(`${log}, line 1`)]);
    writeFileSync(log, whole);
    expect(await run('import', `file:${upstream}`, '--to', 'level:copy')).toMatchObject({ code: 0, stderr: '' });
    expect(await dump('--store', 'level:copy')).toBe(expected('v0.13.0'));
  });

  test('of its first layout is what is said where somebody opens it as a store, and stays possible', async () => {
    const earlier = join(directory, 'earlier');
    mkdirSync(earlier);
    writeFileSync(join(earlier, 'logs.json'), '{"ada":[]}');
    for (const words of [
      ['sessions', 'list'],
      ['worker', '--exit-when-caught-up'],
    ]) {
      const refused = await run(...words, '--store', `file:${earlier}`);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`import file:${earlier} --to`)]);
    }
    expect(await run('import', `file:${earlier}`, '--to', 'level:copy')).toMatchObject({ code: 0, stderr: '' });
  });

  test('sends no document that is larger than a command may be, but copies it', async () => {
    const large = `{"message_id":"${'m'.repeat(wireLimits.dataBytes)}","received_at_ms":1,"sender":"s",`;
    const log = `${large}"message_type":"Vote","raw_payload":[],"entry_kind":"Internal"}\n`;
    writeFileSync(join(aSession(), 'log.jsonl'), log);
    const sent = await run('import', `file:${upstream}`);
    expect(sent).toMatchObject({ code: 3, stdout: '' });
    expect(sent.stderr).toMatch(/the log entry 1 of session ".*" has \d+ bytes; a command has at most 16777216/);
    expect(await run('import', `file:${upstream}`, '--to', 'file:copy')).toMatchObject({ code: 0, stderr: '' });
    const [session = ''] = readdirSync(join(upstream, 'sessions')).sort();
    expect((await run('sessions', 'log', session, '--store', 'file:copy')).stdout).toBe(log);
  });

  test('refuses a store that holds the sessions without numbers: their logs would stand there twice', async () => {
    await run('import', `file:${upstream}`, '--to', 'level:macp-persist-data/level');
    const ending = await run('import', `file:${upstream}`);
    expect(ending.code).toBe(3);
    expect(ending.stderr).toContain('as macp-runtime wrote it');
    expect(await dump()).toBe(expected('v0.13.0'));
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['a directory with nothing in it', ['file:.'], 2, /nothing that macp-runtime wrote/],
    ['a store of ours', ['level:x'], 2, /export --store level:.*x --to/],
    ['what is no URL', ['upstream'], 2, /no kind of store/],
    ['both ways at once', ['file:upstream', '--to', 'level:x', '--print'], 2, /give one of them/],
    ['a target that is lost with the process', ['file:upstream', '--to', 'memory:'], 2, /lost with this process/],
  ])('refuses %s', async (_, words, code, message) => {
    const ending = await run('import', ...words);
    expect(ending.code).toBe(code);
    expect(ending.stderr).toMatch(message);
  });
});

describe('export', () => {
  test.each(['v0.4.0', 'v0.13.0'])(
    'into files gives byte for byte what %s wrote, and adds only what is ours',
    async (folder) => {
      place(folder);
      await run('import', `file:${upstream}`, '--to', 'level:copy');
      await run('export', '--store', 'level:copy', '--to', 'file:files');
      await run('import', `file:${upstream}`, '--to', 'file:direct');
      for (const name of ['files', 'direct']) {
        const differences = spawnSync('diff', ['-r', '-x', '.macp-persist', upstream, join(directory, name)]);
        expect([differences.stdout.toString(), differences.status]).toEqual(['', 0]);
        expect(await dump('--store', `file:${name}`)).toBe(expected(folder));
      }
    },
  );

  test('takes along what waits, what was refused, and the positions: a worker goes on from the copy', async () => {
    const lines = readFileSync(join(golden, 'v0.4.0/commands.ndjson'), 'utf8').trimEnd().split('\n');
    const half = `${lines.slice(0, 900).join('\n')}\n`;
    await runProgram(['publish', '-'], { directory, input: half });
    await work();
    expect((await run('export', '--to', 'level:copy')).code).toBe(0);
    await runProgram(['publish', '-'], { directory, input: `${lines.slice(900).join('\n')}\n` });
    const words = ['worker', '--exit-when-caught-up', '--json', '--store', 'level:copy'];
    expect(JSON.parse((await run(...words)).stdout).deliveries).toBe(lines.length - 900);
    expect(await dump('--store', 'level:copy')).toBe(expected('v0.4.0'));
  });

  test('refuses a target that holds something else, and leaves it as it is', async () => {
    place('v0.13.0');
    await run('import', `file:${upstream}`, '--to', 'level:one');
    place('v0.4.0');
    await run('import', `file:${upstream}`);
    await work();
    const ending = await run('export', '--to', 'level:one');
    expect(ending.code).toBe(2);
    expect(ending.stderr).toContain('TARGET_NOT_EMPTY');
    expect(await dump('--store', 'level:one')).toBe(expected('v0.13.0'));
  });

  test('without a store, or into itself, says so', async () => {
    expect(await run('export', '--to', 'level:x')).toMatchObject({ code: 2 });
    expect((await run('export', '--to', 'level:macp-persist-data/level')).stderr).toContain('into itself');
    expect((await run('export')).stderr).toContain('--to STORE_URL: it is missing');
  });
});
