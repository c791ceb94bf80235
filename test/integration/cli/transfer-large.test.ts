import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDirectory, startProgram } from '../../support/program.ts';
import { makeUpstreamDirectory } from '../../support/upstream-directory.ts';

const mebibyte = 1024 * 1024;
let directory = '';
beforeAll(() => {
  directory = freshDirectory();
  makeUpstreamDirectory(join(directory, 'upstream'), { sessions: 3, largeBytes: 400 * mebibyte });
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs the program to its end; the most memory that it had, in bytes. */
async function peakOf(words: readonly string[]): Promise<number> {
  const child = startProgram(words, { directory });
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const ended = once(child, 'close');
  let peak = 0;
  while (child.exitCode === null && child.signalCode === null) {
    const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(statusOf(child.pid ?? 0)) ?? [];
    peak = Math.max(peak, Number(kilobytes) * 1024);
    await Promise.race([ended, setTimeout(50)]);
  }
  expect(child.exitCode).toBe(0);
  return peak;
}

function statusOf(process: number): string {
  try {
    return readFileSync(`/proc/${process}/status`, 'utf8');
  } catch {
    return '';
  }
}

test.each([
  ['copied into files', ['import', 'file:upstream', '--to', 'file:copy']],
  ['turned into commands', ['import', 'file:upstream', '--print']],
])('a log of 400 MiB is %s in a fraction of that memory', async (_, words) => {
  const peak = await peakOf(words);
  expect(peak).toBeGreaterThan(50 * mebibyte);
  expect(peak).toBeLessThan(250 * mebibyte);
});
