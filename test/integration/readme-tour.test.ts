import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';
import { freePort } from '../support/free-port.ts';

/** Times differ from run to run, and services name themselves anew at every start. */
const steady = (text: string): string =>
  text
    .replace(/in [0-9.]+ s \([0-9]+ a second\)/g, 'in … s (… a second)')
    .replaceAll(/macp-persist\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'macp-persist/…');

test('the tour of README.md prints what README.md says', async () => {
  const port = String(await freePort());
  const shown = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'), 'console')
    .join('')
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
  const directory = mkdtempSync(join(tmpdir(), 'readme-tour-'));
  try {
    const environment = { REPOSITORY: root, MACP_PERSIST_HTTP_PORT: port };
    const { commands, stdout, stderr } = runConsole(shown, directory, environment);
    expect(stderr).toBe('');
    expect(steady(stdout)).toBe(steady(shown));
    expect(commands).toBeGreaterThan(10);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
