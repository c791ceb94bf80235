import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';
import { freePort } from '../support/free-port.ts';
import { startService } from '../support/service.ts';

/** The address that the documents speak of. */
const address = 'http://127.0.0.1:8080';

/** Services name themselves anew at every start. */
const nameless = (text: string): string => text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…');

/** Times and sizes differ from run to run. */
const steady = (text: string): string =>
  nameless(text)
    .replaceAll(/in [0-9.]+ s \([0-9]+ a second\)/g, 'in … s (… a second)')
    .replaceAll(/[0-9]+ records, [0-9]+ bytes/g, '… records, … bytes');

/** What documents call `macp-persist`, in `directory`. */
function placeProgram(directory: string): string {
  const path = join(directory, 'macp-persist');
  const program = join(root, 'dist/src/cli/main.js');
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  return [directory, process.env['PATH']].join(delimiter);
}

test.each([
  ['publish.md', 'a service'],
  ['read.md', 'a service'],
  ['dead-letters.md', 'a service'],
  ['run.md', 'nothing'],
  ['back-up.md', 'nothing'],
])('what docs/%s shows at a console is what happens, where %s runs', async (name, runs) => {
  const document = readFileSync(join(root, 'docs', name), 'utf8');
  const directory = mkdtempSync(join(tmpdir(), 'documents-'));
  const bin = mkdtempSync(join(tmpdir(), 'documents-bin-'));
  const service = runs === 'nothing' ? undefined : await startService([], { directory });
  try {
    const port = service === undefined ? await freePort() : Number(new URL(service.url).port);
    for (const program of blocksOf(document, 'python')) writeFileSync(join(directory, 'publish.py'), program);
    const shown = blocksOf(document, 'console').join('').replaceAll(address, `http://127.0.0.1:${port}`);
    const environment = { PATH: placeProgram(bin), MACP_PERSIST_HTTP_PORT: String(port) };
    const { commands, stdout, stderr } = runConsole(shown, directory, environment);
    expect(stderr).toBe('');
    expect(steady(stdout)).toBe(steady(shown));
    expect(commands).toBeGreaterThan(5);
  } finally {
    await service?.stop();
    rmSync(directory, { recursive: true });
    rmSync(bin, { recursive: true });
  }
});
