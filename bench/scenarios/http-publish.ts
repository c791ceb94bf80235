import { join } from 'node:path';
import type { PublishRead, PublishReadRequest } from '../http/publish-read-program.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { median } from '../support/contest.ts';
import { tellLatencies } from '../support/latencies.ts';
import { runProgram, startService } from '../support/programs.ts';

const rate = 1_000;
const seconds = 5;
/** Milliseconds until an entry is readable, asked for where the disk is calm. */
const mostMilliseconds = 10;
/** A disk is calm that syncs a small write within so many milliseconds, in the median. */
const calmMilliseconds = 2;

/**
 * Publish to readable over HTTP: every command is sent on its own, and its entry read back with `min_sequence`, at
 * 1,000 commands a second, from a process of its own. Beside it, in the same run, what a bare write of the same bytes
 * with its fdatasync takes: a command needs two, in the queue and in the store.
 */
export async function publishToReadable(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('http-publish');
  try {
    await using service = await startService(join(directory, 'data'), ['--http-maximum-rate', '1000000']);
    const request: PublishReadRequest = { url: service.url, directory, rate, seconds, rounds };
    return tell(await runProgram<readonly PublishRead[]>('http/publish-read', request));
  } finally {
    await removeDirectory(directory);
  }
}

function tell(results: readonly PublishRead[]): boolean {
  console.log(
    `\nPublish to readable over HTTP, ${rate} commands/s, milliseconds (medians of ${results.length} rounds)`,
  );
  const { median: readable } = tellLatencies(
    'POST, then GET with min_sequence',
    results.map(({ readable }) => readable),
  );
  const { median: sync } = tellLatencies(
    'bare write and fdatasync of the same bytes',
    results.map(({ sync }) => sync),
  );
  console.log(`  ${median(results.map((result) => result.rate)).toFixed(0)} commands/s were published and read`);
  const isCalm = sync <= calmMilliseconds;
  const met = readable <= mostMilliseconds;
  const asked = `median ${readable.toFixed(1)} ms, asked for at most ${mostMilliseconds} where a sync takes at most ${calmMilliseconds} ms`;
  console.log(`  ${asked}: ${met ? 'met' : isCalm ? 'MISSED' : 'the disk is not calm'}`);
  return met || !isCalm;
}
