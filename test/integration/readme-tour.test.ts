import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';

const shown = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'), 'console').join('');

/** Times differ from run to run. */
const timeless = (text: string): string => text.replace(/in [0-9.]+ s \([0-9]+ a second\)/g, 'in … s (… a second)');

test('the tour of README.md prints what README.md says', () => {
  const directory = mkdtempSync(join(tmpdir(), 'readme-tour-'));
  try {
    const { commands, stdout, stderr } = runConsole(shown, directory, { REPOSITORY: root });
    expect(stderr).toBe('');
    expect(timeless(stdout)).toBe(timeless(shown));
    expect(commands).toBeGreaterThan(5);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
