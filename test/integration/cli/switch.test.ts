import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { type Ending, freshDirectory, runProgram } from '../../support/program.ts';

const golden = (path: string): string => join(root, 'test/fixtures/golden', path);

let directory = '';
let live = '';
const run = (...words: readonly string[]): Promise<Ending> => runProgram(words, { directory });
const work = (...words: readonly string[]): Promise<Ending> =>
  run('worker', '--exit-when-caught-up', '--log-level', 'error', '--json', ...words);
const dump = async (...words: readonly string[]): Promise<string> => (await run('sessions', 'dump', ...words)).stdout;
const refused = async (code: number, says: string, ...words: readonly string[]): Promise<void> => {
  const ending = await run('switch', ...words);
  expect([ending.code, ending.stderr]).toEqual([code, expect.stringContaining(says)]);
};

beforeEach(async () => {
  directory = freshDirectory();
  live = join(directory, 'macp-persist-data/level');
  await run('publish', golden('v0.13.0/commands.ndjson'));
  await work();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('switch', () => {
  test('lets the place of the store stand for one that was built beside it, and goes back to the old one as it was left', async () => {
    await run('replay', '--to', 'level:green');
    await run('publish', golden('v0.4.0/commands.ndjson'));
    const there = JSON.parse((await run('switch', '--to', 'level:green', '--json')).stdout);
    expect(there).toEqual({ from: `level:${live}`, to: `level:${directory}/green`, behind: 0 });
    expect(JSON.parse((await work()).stdout).tally.duplicates).toBe(0);
    const both = await dump();
    expect(await dump('--store', 'level:green')).toBe(both);
    expect(both.split('\n').length).toBeGreaterThan(
      readFileSync(golden('v0.13.0/expected.ndjson'), 'utf8').split('\n').length,
    );
    const back = JSON.parse((await run('switch', '--back', '--json')).stdout);
    expect(back).toMatchObject({ from: `level:${directory}/green`, to: `level:${live}` });
    expect(back.behind).toBeGreaterThan(0);
    expect(await dump()).toBe(readFileSync(golden('v0.13.0/expected.ndjson'), 'utf8'));
    await work();
    expect(await dump()).toBe(both);
    await run('switch', '--back');
    expect(await dump()).toBe(both);
  });

  test('refuses what cannot take its place, and changes nothing then', async () => {
    await run('replay', '--to', 'file:files');
    await run('replay', '--to', 'level:some', '--sessions', '0*');
    await run('replay', '--to', 'level:nothing', '--until', '2020-01-01T00:00:00Z');
    await refused(2, 'its own kind', '--to', 'file:files');
    await refused(14, 'STORE_PARTIAL', '--to', 'level:some');
    await refused(2, 'consumed nothing', '--to', 'level:nothing');
    await refused(2, 'there is no store', '--to', 'level:nowhere');
    await run('backup', 'monday');
    await refused(2, 'is a backup', '--to', 'level:macp-persist-data/backups/monday');
    await refused(2, 'lies at', '--to', `level:${live}`);
    await refused(2, 'never switched', '--back');
    await refused(2, 'either', '--to', 'level:some', '--back');
    await refused(2, 'either');
    await refused(2, 'directories', '--to', 'level:some', '--store', 'redis://127.0.0.1:1/0');
    expect(existsSync(`${live}.current`)).toBe(false);
  });

  test.each([
    ['damaged', () => writeFileSync(join(live, 'CURRENT'), 'garbage\n'), 'STORE_IO_FAILED'],
    ['gone', () => rmSync(live, { recursive: true }), 'INVALID_CONFIGURATION'],
  ])('an old store that is %s does not hold anybody back, and that is told', async (_, harm, because) => {
    await run('replay', '--to', 'level:green');
    await run('replay', '--to', 'level:other');
    harm();
    const there = JSON.parse((await run('switch', '--to', 'level:green', '--json')).stdout);
    expect(there).toEqual({ from: `level:${live}`, to: `level:${directory}/green`, behind: null, because });
    expect(await dump()).toBe(readFileSync(golden('v0.13.0/expected.ndjson'), 'utf8'));
    await run('switch', '--to', 'level:other');
    rmSync(join(directory, 'other'), { recursive: true });
    const back = await run('switch', '--back');
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('The old one cannot be read')]);
    expect(await dump()).toBe(readFileSync(golden('v0.13.0/expected.ndjson'), 'utf8'));
  });

  test('where nothing can be written beside the store, it stays where it is, and the place is named', async () => {
    await run('replay', '--to', 'level:green');
    mkdirSync(`${live}.current.draft`);
    await refused(7, `${live}.current cannot be written`, '--to', 'level:green');
    expect(existsSync(`${live}.current`)).toBe(false);
  });

  test('doctor takes neither the pointer nor the store to go back to for something that may be moved away', async () => {
    await run('replay', '--to', 'level:macp-persist-data/green');
    await run('switch', '--to', 'level:macp-persist-data/green');
    await run('switch', '--back');
    const { stdout } = await run('doctor');
    expect(stdout).toContain('store directory');
    expect(stdout).not.toContain('does not know');
  });

  test('a pointer that says nothing usable is refused, rather than taken for a store that is empty', async () => {
    writeFileSync(`${live}.current`, '{"directory":""}');
    const ending = await run('sessions', 'list');
    expect([ending.code, ending.stderr]).toEqual([2, expect.stringContaining('does not say where the store lies')]);
  });
});
