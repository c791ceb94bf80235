import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createBeside, createLevelDatabase } from '../../src/level/create-database.ts';
import { classifyFailure } from '../../src/level/failures.ts';

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

test('of those who create a database at one moment each finds it there, or is told that another one is at it', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'macp-persist-twice-'));
  try {
    for (let round = 0; round < 30; round += 1) {
      const directory = join(parent, `level-${round}`);
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          await delay((round * index) % 5);
          return await createLevelDatabase(directory).then(
            () => 'there',
            (error: unknown) => classifyFailure(error, 'it', 'opening').code,
          );
        }),
      );
      expect(outcomes.filter((outcome) => outcome !== 'there' && outcome !== 'STORE_LOCKED')).toEqual([]);
    }
  } finally {
    rmSync(parent, { recursive: true });
  }
});
