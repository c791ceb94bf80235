import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { anonymousMebibytes, answeredStatuses, mostMebibytes } from '../support/footprint.ts';
import { freshDirectory, runProgram } from '../support/program.ts';
import { type RunningService, startService } from '../support/service.ts';

const token = 'a-token-for-the-fuzzer';
const stream = join(root, 'test/fixtures/golden/v0.13.0/commands.ndjson');
/** Seconds for making up requests, besides those that the description names or implies. */
const seconds = 60;
/** The requests that are made up follow from this number. */
const seed = process.env['FUZZ_SEED'] ?? '1';

let directory = '';
let service: RunningService;
beforeEach(async () => {
  directory = freshDirectory();
  const tokens = [{ name: 'fuzzer', token, scopes: ['admin'] }];
  writeFileSync(join(directory, 'tokens.json'), JSON.stringify({ tokens }), { mode: 0o600 });
  service = await startService(['--http-tokens', 'tokens.json', '--http-maximum-rate', '0'], { directory });
  // The sessions that the examples of the description name.
  expect(await runProgram(['publish', stream], { directory })).toMatchObject({ code: 0 });
});
afterEach(async () => {
  if (service.child.exitCode === null) await service.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Runs schemathesis over the service's own description; resolves with its exit code and what it said. */
async function fuzz(): Promise<{ readonly code: number | null; readonly said: string }> {
  const program = process.env['SCHEMATHESIS'];
  if (program === undefined) throw new Error('`npm test fuzz` brings schemathesis and names it in SCHEMATHESIS');
  const words = ['--config-file', join(root, 'test/fuzz/schemathesis.toml'), 'run', `${service.url}/openapi.json`];
  const options = ['--phases', 'examples,coverage,fuzzing', '--max-time', `${seconds}`, '--seed', seed, '--no-color'];
  const child = spawn(program, [...words, ...options, '--header', `Authorization: Bearer ${token}`], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (text) => {
      said += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, said };
}

test('every request that the description allows, and every other, is answered as described, in bounded memory', async () => {
  const { code, said } = await fuzz();
  expect(code, said).toBe(0);
  const [, cases = ''] = /(\d+) generated/.exec(said) ?? [];
  expect(Number(cases), said).toBeGreaterThan(500);
  const authorization = `Bearer ${token}`;
  expect((await answeredStatuses(service.url, { authorization })).filter((status) => status >= 500)).toEqual([]);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  expect(anonymousMebibytes(service.child.pid)).toBeLessThan(mostMebibytes);
  expect(await service.stop()).toBe(0);
  expect(service.said.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
});
