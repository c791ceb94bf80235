import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../src/compose/exit-codes.ts';
import { compilePrograms } from '../power-cut/programs.ts';
import { type Outcome, runProgram } from '../power-cut/run.ts';
import { compileShim, type Fault } from '../power-cut/shim.ts';
import { scratchFolder } from '../power-cut/workshop.ts';

const folder = new URL('../fixtures/golden/v0.13.0/', import.meta.url);
const stream = fileURLToPath(new URL('commands.ndjson', folder));

let library: string;
let main: string;
let scratch: string;

beforeAll(async () => {
  library = await compileShim();
  main = join(await compilePrograms('failed-sync'), 'src/cli/main.js');
  scratch = scratchFolder('failed-sync');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs the CLI; with `at`, the first sync from that effect on fails. */
function command(words: readonly string[], data: string, at?: number): Promise<Outcome> {
  const fault: Fault = { from: at ?? 0, until: 1_000_000, error: 'EIO', kinds: 's', short: false, times: 1 };
  const shim = { library, options: { directory: data, fault } };
  return runProgram([main, ...words, '--data-dir', data, '--log-level', 'silent'], at === undefined ? undefined : shim);
}

test('a publish or a worker whose sync fails ends with its exit code and a clear error, and the next start mends it', async () => {
  const data = join(scratch, 'data');
  const publish = await command(['publish', stream], data, 40);
  expect(publish.code).toBe(exitCodes.failed.code);
  expect(publish.errors).toContain('QUEUE_IO_FAILED');
  expect(await command(['publish', stream], data)).toMatchObject({ code: 0 });

  const words = ['worker', '--exit-when-caught-up', '--worker-batch-commands', '16'];
  for (const at of [60, 75, 90]) {
    const worker = await command(words, data, at);
    expect(worker.code).toBe(exitCodes.failed.code);
    expect(worker.errors).toMatch(/(STORE|QUEUE)_IO_FAILED/);
  }
  expect(await command(words, data)).toMatchObject({ code: 0 });
  const dump = await command(['sessions', 'dump'], data);
  expect(dump.output === readFileSync(new URL('expected.ndjson', folder), 'utf8')).toBe(true);
});
