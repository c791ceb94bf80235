import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';

/** The lines of README.md's console blocks: commands begin with `$ `, and what they print follows. */
const console = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```console\n(.*?)^```/gms)]
  .map(([, block = '']) => block)
  .join('');

/** Times differ from run to run. */
const timeless = (text: string): string => text.replace(/in [0-9.]+ s \([0-9]+ a second\)/g, 'in … s (… a second)');

test('the tour of README.md prints what README.md says', () => {
  const commands = console.split('\n').filter((line) => line.startsWith('$ '));
  const script = commands.map((line) => `printf '%s\\n' ${quoted(line)}\n${line.slice(2)}`).join('\n');
  const directory = mkdtempSync(join(tmpdir(), 'readme-tour-'));
  try {
    const { stdout, stderr } = spawnSync('bash', ['-O', 'expand_aliases', '-c', script], {
      cwd: directory,
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...process.env, REPOSITORY: root },
    });
    expect(stderr).toBe('');
    expect(timeless(stdout)).toBe(timeless(console));
    expect(commands.length).toBeGreaterThan(5);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
