import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';
import { placePrograms, steady } from '../support/documents.ts';
import { freePort } from '../support/free-port.ts';
import { startService } from '../support/service.ts';

/** The address that the documents speak of. */
const address = 'http://127.0.0.1:8080';

test.each([
  ['publish.md', 'a service'],
  ['read.md', 'a service'],
  ['dead-letters.md', 'a service'],
  ['run.md', 'nothing'],
  ['back-up.md', 'nothing'],
  ['replay.md', 'nothing'],
])('what docs/%s shows at a console is what happens, where %s runs', async (name, runs) => {
  const document = readFileSync(join(root, 'docs', name), 'utf8');
  const directory = mkdtempSync(join(tmpdir(), 'documents-'));
  using programs = placePrograms();
  const service = runs === 'nothing' ? undefined : await startService([], { directory });
  try {
    const port = service === undefined ? await freePort() : Number(new URL(service.url).port);
    for (const program of blocksOf(document, 'python')) writeFileSync(join(directory, 'publish.py'), program);
    const shown = blocksOf(document, 'console').join('').replaceAll(address, `http://127.0.0.1:${port}`);
    const environment = { REPOSITORY: root, PATH: programs.path, MACP_PERSIST_HTTP_PORT: String(port) };
    const { commands, stdout, stderr } = runConsole(shown, directory, environment);
    expect(stderr).toBe('');
    expect(steady(stdout)).toBe(steady(shown));
    expect(commands).toBeGreaterThan(5);
  } finally {
    await service?.stop();
    rmSync(directory, { recursive: true });
  }
});
