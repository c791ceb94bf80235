import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { killReplays, type ReplayDocument } from '../support/killed-replays.ts';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';

/** Ten kills of each, more with CRASH_FACTOR (5 for fifty), others with CRASH_SEED. */
const kills = 10 * Number(process.env['CRASH_FACTOR'] ?? 1);
const seed = Number(process.env['CRASH_SEED'] ?? 1);

let directory = '';
/** What a replay that nobody disturbs comes to. */
let undisturbed: ReplayDocument;

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });

beforeAll(async () => {
  directory = freshDirectory();
  for (const folder of ['v0.4.0', 'v0.13.0', 'edge']) {
    await run('publish', join(root, 'test/fixtures/golden', folder, 'commands.ndjson'));
  }
  await run('worker', '--exit-when-caught-up', '--log-level', 'error');
  undisturbed = JSON.parse((await run('replay', '--to', 'level:undisturbed', '--json')).stdout);
});
afterAll(() => rmSync(directory, { recursive: true }));

test('a replay that nobody disturbs has the digest of the live store', async () => {
  const { sha256, sessions } = JSON.parse((await run('export', '--to', 'level:live', '--json')).stdout);
  expect(undisturbed).toMatchObject({ sha256, sessions });
});

test.each(['level', 'file'])(
  'a replay into a %s store that is killed at any instant goes on, and ends the same',
  async (kind) => {
    const target = (index: number): string => `${kind}:killed-${kind}-${index}`;
    await killReplays({ directory, seed, kills, source: [], target }, undisturbed);
  },
);
