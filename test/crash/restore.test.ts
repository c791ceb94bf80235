import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeEvent } from '../../src/domain/wire/structured.ts';
import { Random } from '../power-cut/random.ts';
import { append, create } from '../support/commands.ts';
import { disturbed } from '../support/disturbed.ts';
import { type Ending, freshDirectory, runProgram } from '../support/program.ts';
import { startService } from '../support/service.ts';

const sessions = 100;
const rounds = 1_200;
/** Small commits, so that the backlog lasts while backups are made. */
const smallCommits = ['--worker-batch-commands', '8'];
/** Other instants with CRASH_SEED. */
const random = new Random(Number(process.env['CRASH_SEED'] ?? 1));

let directory = '';
const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const json = async <Document>(...words: readonly string[]): Promise<Document> => {
  const { code, stdout, stderr } = await run(...words, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};
const lag = async (): Promise<number> => (await json<{ readonly queue: { readonly lag: number } }>('status')).queue.lag;
const digest = async (store: string, copy: string): Promise<string> =>
  (await json<{ readonly sha256: string }>('export', '--store', store, '--to', copy)).sha256;

/** The events of one round after the other, each with one of each session. */
function backlog(): string {
  return Array.from({ length: sessions * rounds }, (_, index) => {
    const [number, reign] = [1 + Math.floor(index / sessions), { session: `session-${index % sessions}` }];
    const command = number === 1 ? create(1, reign) : append(number, `m${number}`, reign);
    return `${Buffer.from(encodeEvent(command)).toString()}\n`;
  }).join('');
}

beforeAll(async () => {
  directory = freshDirectory();
  const published = await runProgram(['publish', '-'], { directory, input: backlog() });
  expect(published.code, published.stderr).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true }));

const backups = ['early', 'later', 'latest'];

test('backups through a process that works at a backlog all the while are restored, and go on to the digest of the live store', async () => {
  const service = await startService(['--log-level', 'error', ...smallCommits], { directory });
  const left: number[] = [];
  for (const backup of backups) {
    await json('backup', backup);
    left.push(await lag());
  }
  // The process was never without work while a backup was made.
  expect(Math.min(...left)).toBeGreaterThan(0);
  while ((await lag()) > 0);
  expect(await service.stop()).toBe(0);
  const live = await digest('level', 'level:exported');
  for (const backup of backups) {
    const store = ['--store', `level:restored-${backup}`];
    await json('restore', backup, ...store);
    const { deliveries } = await json<{ deliveries: number }>('worker', '--exit-when-caught-up', ...store);
    // What was left when the backup had ended, and what was committed while it was made.
    expect(deliveries).toBeGreaterThanOrEqual(left[backups.indexOf(backup)] ?? expect.unreachable());
    expect(await digest(`level:restored-${backup}`, `level:exported-${backup}`)).toBe(live);
  }
});

test('a restore that is killed at any instant leaves the whole store or none, and begins again', async () => {
  const words = (name: string): string[] => ['restore', 'latest', '--store', `level:${name}`];
  const { used: idle } = await disturbed(['--version'], { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  const { used: whole } = await disturbed(words('undisturbed'), { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  const expected = await digest('level:undisturbed', 'level:undisturbed-copy');
  const outcomes = new Set<boolean>();
  for (let kill = 0; kill < 12; kill += 1) {
    const name = `killed-${kill}`;
    await disturbed(words(name), { directory }, 'SIGKILL', idle + ((whole - idle) * random.below(1_000)) / 1_000);
    const isThere = existsSync(join(directory, name));
    outcomes.add(isThere);
    if (!isThere) expect(await run(...words(name))).toMatchObject({ code: 0 });
    expect(await digest(`level:${name}`, `level:${name}-copy`)).toBe(expected);
    expect(existsSync(join(directory, `.unfinished-restore-${name}`))).toBe(false);
    for (const left of [name, `${name}-copy`]) rmSync(join(directory, left), { recursive: true });
  }
  expect(outcomes).toContain(false);
});
