import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../power-cut/random.ts';
import { disturbed } from '../support/disturbed.ts';
import { fingerprint } from '../support/fingerprint.ts';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';
import { makeUpstreamDirectory } from '../support/upstream-directory.ts';

const sessions = 600;
/** Other instants with CRASH_SEED. */
const random = new Random(Number(process.env['CRASH_SEED'] ?? 1));

let directory = '';
let upstream: ReadonlyMap<string, string>;
/** The digest of the copy when nothing is killed. */
let sha256 = '';
let dump = '';

const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const dumpOf = async (store: string): Promise<string> => (await run('sessions', 'dump', '--store', store)).stdout;

beforeAll(async () => {
  directory = freshDirectory();
  makeUpstreamDirectory(join(directory, 'upstream'), { sessions, largeBytes: 12e6 });
  upstream = fingerprint(join(directory, 'upstream'));
  sha256 = JSON.parse((await run('import', 'file:upstream', '--to', 'level:whole', '--json')).stdout).sha256;
  dump = await dumpOf('level:whole');
});
afterAll(() => rmSync(directory, { recursive: true }));

/**
 * Starts it eight times, and kills it at random instants of the work that it takes, the earlier ones first, as what was
 * done is not done again; the eighth, or one before, may come to its end. How often it was killed. `alike`: what takes
 * as much work, and may be done beforehand.
 */
async function kill(words: readonly string[], alike: readonly string[]): Promise<number> {
  const { used: idle } = await disturbed(['--version'], { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  const { used: whole } = await disturbed(alike, { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  const instants = Array.from({ length: 8 }, () => idle + ((whole - idle) * random.below(1_000)) / 1_000);
  let kills = 0;
  for (const instant of instants.sort((one, other) => one - other)) {
    const { code } = await disturbed(words, { directory }, 'SIGKILL', instant);
    expect([0, null]).toContain(code);
    if (code === null) kills += 1;
  }
  return kills;
}

describe.each(['level', 'file'])('a copy into a %s store', (kind) => {
  test('that is killed at any instant goes on when it is begun again, and ends as if it had not been', async () => {
    const to = `${kind}:killed-${kind}`;
    const words = ['import', 'file:upstream', '--to', to];
    expect(await kill(words, ['import', 'file:upstream', '--to', `${to}-alike`])).toBeGreaterThan(1);
    const { code, stdout } = await run(...words, '--json');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, sha256, sessions: sessions + 1 });
    expect(await dumpOf(to)).toBe(dump);
  });
});

test('an export that is killed goes on likewise', async () => {
  const words = ['export', '--store', 'level:whole', '--to', 'level:exported'];
  expect(await kill(words, [...words.slice(0, -1), 'level:alike'])).toBeGreaterThan(1);
  expect(JSON.parse((await run(...words, '--json')).stdout).sha256).toBe(sha256);
});

test('commands of an import that is killed are duplicates the next time', async () => {
  expect(await kill(['import', 'file:upstream'], ['import', 'file:upstream', '--print'])).toBeGreaterThan(0);
  expect(await run('import', 'file:upstream')).toMatchObject({ code: 0 });
  const worked = JSON.parse((await run('worker', '--exit-when-caught-up', '--json')).stdout);
  expect(worked.tally).toMatchObject({ parked: 0, deadLetters: { fenced: 0, conflict: 0, refused: 0 } });
  expect(worked.tally.duplicates).toBeGreaterThan(0);
  expect(await dumpOf('level:macp-persist-data/level')).toBe(dump);
});

test('Ctrl-C ends a copy between two commits, and the next one goes on from there', async () => {
  const words = ['import', 'file:upstream', '--to', 'level:interrupted'];
  let interruptions = 0;
  for (let after = 300; ; after += 200) {
    const { code } = await disturbed(words, { directory }, 'SIGINT', after);
    if (code === 0) break;
    // Before it listens for signals, one ends it at once.
    expect([130, null]).toContain(code);
    if (code === 130) interruptions += 1;
  }
  expect(interruptions).toBeGreaterThan(0);
  expect(JSON.parse((await run(...words, '--json')).stdout).sha256).toBe(sha256);
});

test('nothing of all that has touched what was imported', () => {
  expect(fingerprint(join(directory, 'upstream'))).toEqual(upstream);
});
