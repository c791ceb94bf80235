import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Release } from './releases.ts';

/** Where a store lies, as upstream's code is told: `file DIRECTORY`, `rocksdb DIRECTORY` or `redis 'URL PREFIX'`. */
export interface UpstreamPlace {
  readonly layout: 'file' | 'rocksdb' | 'redis';
  readonly place: string;
}

/** Every session that upstream's code finds there, and those named, one line each (`upstreamLine`). */
export async function dumpByUpstream(
  release: Release,
  { layout, place }: UpstreamPlace,
  sessions: readonly string[] = [],
): Promise<readonly string[]> {
  return lines(await run(release, ['dump', layout, place, ...sessions], ''));
}

/** Has upstream's code make these calls, one line each. Resolves with how many it made. */
export async function writeByUpstream(release: Release, { layout, place }: UpstreamPlace, calls: string) {
  return Number(await run(release, ['write', layout, place], calls));
}

/** A document as it may arrive. */
export interface Judged {
  readonly kind: 'LogEntry' | 'LogEntries' | 'PersistedSession';
  readonly bytes: Uint8Array;
}

/** What serde says of each document: `accepted`, or `refused: ` and why. */
export async function judgeBySerde(release: Release, documents: readonly Judged[]): Promise<readonly string[]> {
  const input = documents.map(({ kind, bytes }) => `{"kind":"${kind}","bytes":[${bytes.join(',')}]}\n`);
  return lines(await run(release, ['check'], input.join('')));
}

function lines(output: string): readonly string[] {
  return output.split('\n').slice(0, -1);
}

/** Runs the program that is built on this release. Rejects with what it says when it fails. */
async function run(release: Release, parameters: readonly string[], input: string): Promise<string> {
  const variable = `MACP_PERSIST_TEST_STORAGE_${release.replaceAll('.', '_')}`;
  const program = process.env[variable];
  if (program === undefined) throw new Error(`${variable} is not set: npm run test:interop sets it`);
  const child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
  // A program that has failed reads no further.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return output;
  throw new Error(`macp-storage ${release} ${parameters.slice(0, 3).join(' ')}: ${complaints || child.signalCode}`);
}
