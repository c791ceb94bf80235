import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { freshDirectory, runProgram } from '../../support/program.ts';

const golden = (path: string): string => join(root, 'test/fixtures/golden', path);

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe.each([
  ['v0.4.0/commands.ndjson', 'v0.4.0/expected.ndjson'],
  ['v0.13.0/commands.ndjson', 'v0.13.0/expected.ndjson'],
  ['edge/commands.ndjson', 'edge/expected-verbatim.ndjson'],
])('the recorded stream %s', (commands, expected) => {
  const count = readFileSync(golden(commands), 'utf8').split('\n').length - 1;

  test('published, persisted and dumped equals the expected store byte for byte', async () => {
    const published = await runProgram(['publish', golden(commands), '--json'], { directory });
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(published.stdout)).toMatchObject({ commands: count });
    const worked = await runProgram(['worker', '--exit-when-caught-up', '--json'], { directory });
    expect(worked.code).toBe(0);
    expect(JSON.parse(worked.stdout)).toMatchObject({
      deliveries: count,
      tally: { applied: count, duplicates: 0, parked: 0 },
    });
    const dumped = await runProgram(['sessions', 'dump'], { directory });
    expect(dumped).toEqual({ code: 0, stderr: '', stdout: readFileSync(golden(expected), 'utf8') });
  });

  test('published twice, and through standard input, changes nothing', async () => {
    const input = readFileSync(golden(commands), 'utf8');
    for (const words of [
      ['publish', golden(commands)],
      ['publish', '-'],
    ]) {
      expect(await runProgram(words, { directory, input })).toMatchObject({ code: 0 });
    }
    const worked = await runProgram(['worker', '--exit-when-caught-up', '--json'], { directory });
    expect(JSON.parse(worked.stdout)).toMatchObject({
      deliveries: 2 * count,
      tally: { applied: count, duplicates: count },
    });
    expect((await runProgram(['sessions', 'dump'], { directory })).stdout).toBe(readFileSync(golden(expected), 'utf8'));
  });
});
