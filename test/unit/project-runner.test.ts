import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { survivors } from '../../scripts/leftovers.mjs';
import { requireNode, root, staleness } from '../../scripts/project.mjs';
import { judge, lastLine, parseLeftOut, type Verdict } from '../../scripts/verdict.mjs';

const planted: Readonly<Record<string, string>> = {
  'passing.test.ts': `
    import { test } from 'vitest';
    test('passes', () => {});`,
  'failing.test.ts': `
    import { test } from 'vitest';
    test('fails', () => { throw new Error('no'); });`,
  'skipping.test.ts': `
    import { describe, test } from 'vitest';
    test.skip('skipped', () => {});
    test.todo('to do');
    test.skipIf(true)('skipped here', () => {});
    test('skips itself', (context) => context.skip());
    describe.skip('skipped suite', () => { test('inside', () => {}); });
    describe.todo('suite to do');
    test.skip('excused', () => {});`,
  'repeating.test.ts': `
    import { test } from 'vitest';
    let tries = 0;
    test('passes the second time', { retry: 1 }, () => { tries += 1; if (tries < 2) throw new Error('not yet'); });`,
  'unimportable.test.ts': `
    import { test } from 'vitest';
    throw new Error('at import');
    test('never known', () => {});`,
  'empty.test.ts': '// nothing in here',
  'unprepared.test.ts': `
    import { beforeAll, describe, test } from 'vitest';
    describe('suite', () => { beforeAll(() => { throw new Error('not ready'); }); test('never runs', () => {}); });`,
  'unhandled.test.ts': `
    import { test } from 'vitest';
    test('leaves an error behind', async () => { setTimeout(() => { throw new Error('late'); }); await new Promise((r) => setTimeout(r, 20)); });`,
};

const leftOut = [{ name: 'skipping.test.ts > excused', reason: 'shows what a left-out test looks like' }];

describe('the verdict of a real vitest run on planted files', () => {
  let verdict: Verdict;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'planted-tests-'));
    try {
      await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
      await writeFile(join(directory, 'package.json'), '{"type":"module"}');
      await writeFile(join(directory, 'left-out.json'), JSON.stringify(leftOut));
      for (const [name, text] of Object.entries(planted)) await writeFile(join(directory, name), text);
      const reporter = join(root, 'scripts/verdict-reporter.mjs');
      const { VITEST: _, ...environment } = process.env;
      spawnSync(
        process.execPath,
        [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', directory, `--reporter=${reporter}`],
        {
          env: {
            ...environment,
            TEST_VERDICT_FILE: join(directory, 'verdict.json'),
            TEST_LEFT_OUT_FILE: join(directory, 'left-out.json'),
            TEST_WHOLE_RUN: 'yes',
          },
        },
      );
      verdict = JSON.parse(await readFile(join(directory, 'verdict.json'), 'utf8'));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('counts what passed, and nothing else as passed', () => {
    // The test of unhandled.test.ts passes by itself; what it left behind is counted apart.
    expect(verdict.passed).toBe(2);
  });

  test.each([
    'skipped or to do: skipping.test.ts > skipped',
    'skipped or to do: skipping.test.ts > to do',
    'skipped or to do: skipping.test.ts > skipped here',
    'skipped or to do: skipping.test.ts > skips itself',
    'skipped or to do: skipping.test.ts > skipped suite > inside',
    'skipped or to do: skipping.test.ts > suite to do',
    'passed only when repeated: repeating.test.ts > passes the second time',
    'error outside of any test: unimportable.test.ts',
    'error outside of any test: empty.test.ts',
    'error outside of any test: unprepared.test.ts > suite',
    'skipped or to do: unprepared.test.ts > suite > never runs',
    'error outside of any test: unhandled: late',
  ])('counts as failed: %s', (complaint) => {
    expect(verdict.complaints).toContain(complaint);
  });

  test('counts each failure once, the plain one included', () => {
    expect(verdict.failed).toBe(verdict.complaints.length + 1);
    expect(new Set(verdict.complaints).size).toBe(verdict.complaints.length);
  });

  test('leaves out, with its reason, what the list names', () => {
    expect(verdict.leftOut).toEqual(leftOut);
  });
});

describe('the verdict', () => {
  test('a run without any test has failed', () => {
    expect(judge([], [], true)).toMatchObject({ passed: 0, failed: 1, complaints: ['no test ran'] });
  });

  test('a run in which everything was left out has failed', () => {
    const outcomes = [{ name: 'a', state: 'skipped' as const }];
    expect(judge(outcomes, [{ name: 'a', reason: 'b' }], true).failed).toBe(1);
  });

  test('the list excuses skipping, never failing', () => {
    const outcomes = [{ name: 'a', state: 'failed' as const }];
    expect(judge(outcomes, [{ name: 'a', reason: 'b' }], true)).toMatchObject({ failed: 1, leftOut: [] });
  });

  test('a name in the list that no test bears has failed, when all suites ran', () => {
    const outcomes = [{ name: 'a', state: 'passed' as const }];
    const list = [{ name: 'gone', reason: 'b' }];
    expect(judge(outcomes, list, true).failed).toBe(1);
    expect(judge(outcomes, list, false).failed).toBe(0);
  });

  test('the last line is the two numbers', () => {
    expect(lastLine({ passed: 12, failed: 0 })).toBe('12 passed, 0 failed');
  });

  test.each([
    ['no array', {}],
    ['no reason', [{ name: 'a' }]],
    ['an empty reason', [{ name: 'a', reason: ' ' }]],
    [
      'a name twice',
      [
        { name: 'a', reason: 'b' },
        { name: 'a', reason: 'c' },
      ],
    ],
  ])('a left-out list with %s is refused', (_, list) => {
    expect(() => parseLeftOut(list)).toThrow(TypeError);
  });
});

describe('what the runner prepares', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('Node %s is new enough', (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });

  test.each(['18.20.0', '20.18.9'])('Node %s is too old, and the message says so', (version) => {
    expect(() => requireNode(version)).toThrow(`this is Node ${version}`);
  });

  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };

  test.each([
    ['nothing installed', undefined],
    ['a package missing', {}],
    ['a package of another version', { 'node_modules/a': { version: '1.0.1' } }],
  ])('dependencies are stale with %s', (_, installed) => {
    expect(staleness(wanted, installed)).toBeTypeOf('string');
  });

  test('dependencies are not stale without an optional package', () => {
    expect(staleness(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBeUndefined();
  });
});

describe('processes left behind', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await realpath(await mkdtemp(join(tmpdir(), 'left-behind-')));
    await mkdir(join(scratch, 'tmp'));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  test('are found while they live, detached ones too, and not afterwards', async () => {
    const temporary = join(scratch, 'tmp');
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
      detached: true,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    expect(survivors(temporary).map(({ pid }) => pid)).toEqual(process.platform === 'linux' ? [child.pid] : []);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(survivors(temporary)).toEqual([]);
  });
});
