import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';
import { startService } from '../support/service.ts';

/** The address that the documents speak of. */
const address = 'http://127.0.0.1:8080';

/** Services name themselves anew at every start. */
const nameless = (text: string): string => text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…');

test.each(['publish.md', 'read.md'])('what docs/%s shows at a console is what happens', async (name) => {
  const document = readFileSync(join(root, 'docs', name), 'utf8');
  const directory = mkdtempSync(join(tmpdir(), 'documents-'));
  const service = await startService(['--data-dir', 'data'], { directory });
  try {
    for (const program of blocksOf(document, 'python')) writeFileSync(join(directory, 'publish.py'), program);
    const shown = blocksOf(document, 'console').join('').replaceAll(address, service.url);
    const { commands, stdout, stderr } = runConsole(shown, directory);
    expect(stderr).toBe('');
    expect(nameless(stdout)).toBe(nameless(shown));
    expect(commands).toBeGreaterThan(5);
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true });
  }
});
