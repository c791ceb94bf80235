import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importedFrom, instrumentAwaits } from './awaits/instrument.ts';
import { mistaken } from './awaits/left-out.ts';

let programs: string;

beforeAll(() => {
  programs = mkdtempSync(join(tmpdir(), 'macp-persist-awaits-'));
  mkdirSync(join(programs, 'src'));
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(programs, 'src', name), text);
}

test('awaits are found in whatever a module imports, in any way and however far, and in nothing else', () => {
  write(
    'first.js',
    `import { two } from './second.js';\nexport const one = async () => await two(await import('./third.js'));\n`,
  );
  write(
    'second.js',
    `export * from './fourth.js';\nexport async function two(of) { for await (const each of of) await each; }\n`,
  );
  write('third.js', 'await 3;\nawait 3;\n');
  write('fourth.js', 'export const four = 4;\n');
  write('stranger.js', 'await 5;\n');
  const found = importedFrom(programs, ['src/first.js']);
  expect([...found].map((file) => relative(programs, file)).toSorted()).toEqual([
    'src/first.js',
    'src/fourth.js',
    'src/second.js',
    'src/third.js',
  ]);
  expect([...instrumentAwaits(programs, found).values()].flat()).toEqual([
    "first: await two(await import('./third.js'))",
    "first: await import('./third.js')",
    'second: for await of',
    'second: await each',
    'third: await 3',
    'third: await 3 #2',
  ]);
  expect(readFileSync(join(programs, 'src/third.js'), 'utf8')).toBe(
    'await macpAwaiting("third: await 3", 3);\nawait macpAwaiting("third: await 3 #2", 3);\n',
  );
});

test('what would be awaited without being seen is refused', () => {
  write('using.js', 'await using file = open();\n');
  expect(() => instrumentAwaits(programs, importedFrom(programs, ['src/using.js']))).toThrow('`await using`');
});

test('an entry that stands for more awaits than it says, for fewer or for none is told', () => {
  const entry = (begins: string, count?: number) => ({ begins, count, because: '', byChance: false });
  const awaits = ['module: await one()', 'module: await one() #2', 'other: await two()'];
  const right = [entry('module: await one(', 2), entry('other:'), entry('other: await two(', 1)];
  expect(mistaken(right, awaits)).toEqual([]);
  expect(mistaken([entry('module: await one(', 1), entry('gone:'), entry('other: await three(', 1)], awaits)).toEqual([
    'module: await one(: 2, not 1',
    'gone:: 0, not some',
    'other: await three(: 0, not 1',
  ]);
});
