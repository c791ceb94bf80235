import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { freshDirectory, runProgram } from '../../support/program.ts';

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

const golden = join(root, 'test/fixtures/golden/v0.4.0');
const commands = readFileSync(join(golden, 'commands.ndjson'), 'utf8');
const unnumbered = commands.replaceAll(/,"macpsequence":"[0-9]+","macpepoch":"[0-9]+"/g, '');
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');
const waiting = async (): Promise<number> => {
  const { stdout } = await runProgram(['worker', '--exit-when-caught-up', '--json'], { directory });
  return JSON.parse(stdout).deliveries;
};

describe('publish', () => {
  test('sends nothing of an input with one bad line at its end, and names that line', async () => {
    const [first = '', second = ''] = lines(commands);
    const input = `${first}\n${second}\n\n${second.replace('"received_at_ms":', '"received_at_msx":')}\n`;
    const ending = await runProgram(['publish', '-'], { directory, input });
    expect(ending).toMatchObject({ code: 3, stdout: '' });
    expect(ending.stderr).toContain('line 4: INVALID_DATA');
    // Not even a queue was made.
    expect(readdirSync(directory)).toEqual([]);
  });

  test('sends nothing of a mix, with and without --as', async () => {
    const input = `${lines(commands)[0]}\n${lines(unnumbered)[0]}\n`;
    for (const words of [
      ['publish', '-'],
      ['publish', '-', '--as', '//me/1'],
    ]) {
      const ending = await runProgram(words, { directory, input });
      expect(ending.code).toBe(3);
      expect(ending.stderr).toContain('MIXED_EVENTS');
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test('numbers events under a fresh writer, and the store becomes the same', async () => {
    const file = join(directory, 'events.ndjson');
    writeFileSync(file, unnumbered);
    const published = await runProgram(['publish', file, '--as', '//import/1'], { directory });
    expect(published).toEqual({ code: 0, stdout: 'Published 1856 commands of 35 sessions.\n', stderr: '' });
    expect((await runProgram(['sessions', 'dump'], { directory })).stdout).toBe(
      readFileSync(join(golden, 'expected.ndjson'), 'utf8'),
    );
    expect(await waiting()).toBe(0);
  });

  test('goes on above what waits in the queue, and claims again under every name', async () => {
    expect(await runProgram(['publish', '-'], { directory, input: commands })).toMatchObject({ code: 0 });
    const session = JSON.parse(lines(commands)[0] ?? '').subject;
    const event = (id: string) =>
      JSON.stringify({
        specversion: '1.0',
        id,
        source: '//x',
        type: 'macp.anchor.store.v1',
        subject: session,
        data: { id },
      });
    for (const writer of ['//import/1', '//import/2', '//import/3']) {
      expect(await runProgram(['publish', '-', '--as', writer], { directory, input: event(writer) })).toMatchObject({
        code: 0,
      });
    }
    const shown = JSON.parse((await runProgram(['sessions', 'show', session, '--json'], { directory })).stdout);
    const last = lines(commands).filter((line) => line.includes(`"subject":"${session}"`)).length;
    expect(shown).toMatchObject({
      writer: '//import/3',
      epoch: 4,
      last_sequence: last + 3,
      has_anchor: true,
      dead_letters: {},
    });
    for (const used of ['//import/1', '//import/3']) {
      const again = await runProgram(['publish', '-', '--as', used], { directory, input: event('again') });
      expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining('INVALID_WRITER') });
    }
    const after = JSON.parse((await runProgram(['sessions', 'show', session, '--json'], { directory })).stdout);
    expect(after).toMatchObject({ epoch: 4, last_sequence: last + 3 });
  });

  test('waits for room in a full queue, persisting by itself what nobody else can', async () => {
    const ending = await runProgram(['publish', '-', '--embedded-maximum-backlog', '1MiB'], {
      directory,
      input: commands,
    });
    expect(ending).toMatchObject({ code: 0, stdout: 'Published 1856 commands of 35 sessions.\n' });
    expect(ending.stderr).toContain('The queue is full');
    expect(await waiting()).toBeLessThan(1856);
    expect((await runProgram(['sessions', 'dump'], { directory })).stdout).toBe(
      readFileSync(join(golden, 'expected.ndjson'), 'utf8'),
    );
  });

  test.each([
    [['publish', 'missing.ndjson'], 3, 'missing.ndjson cannot be read'],
    [['publish', '.'], 3, 'is a directory'],
    [['publish'], 2, 'FILE|-: it is missing'],
    [['publish', '-', '--as', 'not a uri'], 2, 'is no name of a writer'],
    [['publish', '-', '--queue', 'memory'], 2, 'would be lost'],
  ] as const)('%j ends with %i', async (words, code, text) => {
    const ending = await runProgram(words, { directory });
    expect(ending).toMatchObject({ code, stdout: '' });
    expect(ending.stderr).toContain(text);
  });

  test('leaves no temporary file of what came through standard input', async () => {
    const environment = { TMPDIR: directory };
    await runProgram(['publish', '-', '--data-dir', join(directory, 'data')], {
      directory,
      environment,
      input: commands,
    });
    expect(readdirSync(directory)).toEqual(['data']);
  });
});
