import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBeside } from '../../src/level/create-database.ts';

test('who creates a database while another process puts its own there leaves that one as it is', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'macp-persist-twice-'));
  try {
    const directory = join(parent, 'level');
    const draft = `${directory}.new`;
    await createBeside(directory, draft, async () => {
      writeFileSync(join(draft, 'CURRENT'), 'of the slower one');
      mkdirSync(directory);
      writeFileSync(join(directory, 'of the quicker one'), '');
    });
    expect(readdirSync(directory)).toEqual(['of the quicker one']);
    expect(readdirSync(parent)).toEqual(['level']);
  } finally {
    rmSync(parent, { recursive: true });
  }
});
