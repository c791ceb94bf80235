import { join } from 'node:path';
import type { PublishRead, PublishReadRequest } from '../http/publish-read-program.ts';
import { tellLatencies } from './latencies.ts';
import { runProgram, startService } from './programs.ts';

/** Commands a second that are published, and read back. */
export const readableRate = 1_000;
const seconds = 5;
/** Milliseconds until an entry is readable that are aimed at. */
const aim = { median: 25, p99: 150 } as const;

/** Where commands are published to, and stored: addresses of a queue and of a store. */
export interface ReadablePath {
  readonly name: string;
  readonly queue: string;
  readonly store: string;
}

/**
 * Publish to readable over HTTP through a queue into a store: every command is sent on its own, at 1,000 a second, and
 * its entry read back with `min_sequence`. Prints milliseconds beside what is aimed at; true when that is met.
 */
export async function tellReadable(path: ReadablePath, directory: string, rounds: number): Promise<boolean> {
  const flags = ['--queue', path.queue, '--store', path.store, '--http-maximum-rate', '1000000'];
  await using service = await startService(join(directory, `data-${path.name}`), flags);
  const request: PublishReadRequest = { url: service.url, directory, rate: readableRate, seconds, rounds };
  const results = await runProgram<readonly PublishRead[]>('http/publish-read', request);
  const readable = tellLatencies(
    `POST, then GET with min_sequence, ${path.name}`,
    results.map((result) => result.readable),
  );
  tellLatencies(
    'bare write and fdatasync of the same bytes',
    results.map(({ sync }) => sync),
  );
  const met = readable.median <= aim.median && readable.p99 <= aim.p99;
  console.log(`  aimed at ${aim.median} and ${aim.p99} ms in the median and at p99: ${met ? 'met' : 'MISSED'}`);
  return met;
}
