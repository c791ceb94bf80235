import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';
import { completionTable } from '../../../src/cli/completion/completion-table.ts';
import { shells } from '../../../src/cli/completion/shells.ts';
import { buildSettings } from '../../../src/compose/settings.ts';

const table = completionTable(
  commands.map(({ shape }) => shape),
  buildSettings(),
);
const scripts = Object.fromEntries(Object.entries(shells).map(([shell, script]) => [shell, script(table)]));
const place = mkdtempSync(join(tmpdir(), 'macp-persist-completion-'));
beforeAll(() => {
  for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(place, shell), script);
  writeFileSync(join(place, 'some-file.ndjson'), '');
});
afterAll(() => rmSync(place, { recursive: true }));

/** What bash offers after these words, the last of which is being typed. */
function offeredByBash(...words: readonly string[]): readonly string[] {
  const script = `source ./bash; shift 0; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _macp_persist; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'macp-persist', ...words], {
    cwd: place,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test('completes the commands, and those of a group', () => {
    const firsts = [...new Set(commands.map(({ shape }) => shape.name.split(' ')[0]))];
    expect(offeredByBash('')).toEqual([...firsts, '--help', '--version']);
    expect(offeredByBash('sess')).toEqual(['sessions']);
    expect(offeredByBash('sessions', 'l')).toEqual(['list', 'log']);
  });

  test('completes options of the command, of all commands, and settings', () => {
    expect(offeredByBash('publish', '-', '--a')).toEqual(['--adopt-changes', '--as']);
    expect(offeredByBash('sessions', 'log', 'id', '--fr')).toEqual(['--from']);
    expect(offeredByBash('worker', '--data')).toEqual(['--data-dir']);
    expect(offeredByBash('config', '--he')).toEqual(['--help']);
    expect(offeredByBash('config', '--as')).toEqual([]);
  });

  test('completes values: words, with a space before or = between, files, directories', () => {
    expect(offeredByBash('worker', '--log-level', 'w')).toEqual(['warn']);
    expect(offeredByBash('worker', '--log-level', '=')).toContain('silent');
    expect(offeredByBash('worker', '--log-level', '=', 'deb')).toEqual(['debug']);
    expect(offeredByBash('worker', '--store', '')).toEqual(expect.arrayContaining(['memory', 'level']));
    expect(offeredByBash('publish', 'some')).toEqual(['some-file.ndjson']);
    expect(offeredByBash('worker', '--data-dir', 'some')).toEqual([]);
    expect(offeredByBash('completion', '')).toEqual(Object.keys(shells));
    expect(offeredByBash('publish', '-', '--as', '')).toEqual([]);
  });

  test('quotes a value that holds a space', () => {
    const odd = completionTable(
      [
        {
          name: 'odd',
          summary: "it's [odd]: a",
          positionals: [],
          options: [
            { name: 'reason', placeholder: 'REASON', description: 'why: [x]', values: ["it's", 'stale decision'] },
          ],
          settings: [],
          examples: [],
        },
      ],
      {},
    );
    writeFileSync(join(place, 'bash'), shells.bash(odd));
    expect(offeredByBash('odd', '--reason', 'st')).toEqual(['stale\\ decision']);
    expect(offeredByBash('odd', '--reason', 'it')).toEqual(["it\\'s"]);
    writeFileSync(join(place, 'bash'), scripts['bash'] ?? '');
    for (const shell of Object.keys(shells)) writeFileSync(join(place, `odd-${shell}`), shells[shell as 'bash'](odd));
  });
});

test.each(Object.keys(shells))('the script for %s names every command, option and known value', (shell) => {
  const script = scripts[shell] ?? '';
  for (const { name, options } of table.commands) {
    for (const word of name.split(' ')) expect(script).toContain(word);
    for (const option of options) expect(script).toContain(option.name);
  }
  for (const { name, values } of table.options) {
    expect(script).toContain(name);
    if (typeof values === 'object') for (const value of values) expect(script).toContain(value);
  }
  expect(script).toContain(shell === 'bash' ? 'complete -F _macp_persist macp-persist' : 'macp-persist');
});

const installed = Object.keys(shells).filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);
test.each(installed)('%s can read its script', (shell) => {
  for (const name of [shell, `odd-${shell}`]) {
    const { status, stderr } = spawnSync(shell, ['-n', join(place, name)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  }
});
