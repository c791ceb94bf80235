/** Files by path. */
export type Tree = Readonly<Record<string, string>>;

/** One violation, planted: the rule that must find it, and the tree in which `at` breaks it. */
export interface Planted {
  readonly rule: string;
  readonly at: string;
  readonly tree: Tree;
}

/** A tree that no rule has anything against: whatever looks like a violation in it is none. */
export const cleanTree: Tree = {
  'src/domain/word.ts': `
    import { hash } from 'node:crypto';
    export interface Word { readonly process: string; readonly console?: number }
    export const words = new Map<string, Word>([['a', { process: 'b' }]]);
    export function digest(word: Word): string { return hash('sha256', word.process); }
    export function dated(milliseconds: number): Date { return new Date(milliseconds); }`,
  'src/ports/shelf.ts': `
    import type { Word } from '../domain/word.ts';
    export interface Shelf { read(): Promise<Word>; }`,
  'src/stores/wood/shelf.ts': `
    import { open } from 'node:fs/promises';
    import type { Shelf } from '../../ports/shelf.ts';
    import { nail } from './nail.ts';
    import { board } from '../board.ts';
    export const measure = (): number => board.length;
    export class WoodShelf implements Shelf {
      readonly #nail = nail();
      static readonly size = 3;
      async read() { await open(this.#nail); return { process: 'x' }; }
    }`,
  'src/stores/board.ts': `export const board = 'board';`,
  'src/stores/wood/nail.ts': `export const nail = (): string => 'nail';`,
  'src/platform/clock.ts': `export const now = (): number => Date.now();`,
  'src/pipeline/carry.ts': `
    import type { Shelf } from '../ports/shelf.ts';
    import { words } from '../domain/word.ts';
    import { setImmediate as turn } from 'node:timers/promises';
    export const next = (): Promise<void> => turn();
    export const rest = () => new Promise((resolve) => setImmediate(resolve));
    export const carry = async (shelf: Shelf): Promise<boolean> => words.has((await shelf.read()).process);`,
  'src/compose/house.ts': `
    import { WoodShelf } from '../stores/wood/shelf.ts';
    import { carry } from '../pipeline/carry.ts';
    export const house = (): Promise<boolean> => carry(new WoodShelf());`,
  'src/cli/main.ts': `
    import { house } from '../compose/house.ts';
    process.exitCode = (await house()) ? 0 : 1;`,
  'workers/worker.ts': `
    import { house } from '../src/compose/house.ts';
    await house();`,
};

const places = 'every module has its place in a layer';
const followed = 'every import can be followed';
const arrows = 'arrows point inwards';
const foreign = 'only what a layer may use of Node and of packages';
const ambient = 'the core asks for time, randomness, environment and network, and takes none itself';
const loading = 'loading a module does nothing';
const cycle = 'no import cycles';
const escapes = 'types are not escaped from';
const length = 'no file is longer than 300 lines';
const naming = 'names say what a thing is';

const lines = (count: number): string => '// a line\n'.repeat(count);

/** The rule that each violation breaks, where it is planted, and its text. */
const cases: readonly (readonly [rule: string, path: string, text: string])[] = [
  [places, 'src/misc/thing.ts', 'export const thing = 1;'],
  [places, 'src/thing.ts', 'export const thing = 1;'],

  [followed, 'src/domain/lost.ts', `export * from './nowhere.ts';`],
  [followed, 'src/domain/lost.ts', `import type { A } from './nowhere.ts'; export type B = A;`],
  [followed, 'src/domain/lost.ts', `export const load = (name: string) => import(name);`],

  [arrows, 'src/domain/reach.ts', `import { carry } from '../pipeline/carry.ts'; export { carry };`],
  [arrows, 'src/domain/reach.ts', `import type { Shelf } from '../ports/shelf.ts'; export type S = Shelf;`],
  [arrows, 'src/domain/reach.ts', `export type { Shelf } from '../ports/shelf.ts';`],
  [arrows, 'src/domain/reach.ts', `export * from '../ports/shelf.ts';`],
  [arrows, 'src/domain/reach.ts', `export type S = import('../ports/shelf.ts').Shelf;`],
  [arrows, 'src/domain/reach.ts', `export const load = () => import('../ports/shelf.ts');`],
  [arrows, 'src/ports/reach.ts', `export * from '../pipeline/carry.ts';`],
  [arrows, 'src/pipeline/reach.ts', `export * from '../stores/wood/shelf.ts';`],
  [arrows, 'src/read-side/reach.ts', `export * from '../pipeline/carry.ts';`],
  [arrows, 'src/publisher/reach.ts', `export * from '../compose/house.ts';`],
  [arrows, 'src/stores/glass/reach.ts', `export * from '../wood/shelf.ts';`],
  [arrows, 'src/stores/reach.ts', `export * from './wood/shelf.ts';`],
  [arrows, 'src/queues/belt/reach.ts', `export * from '../../stores/board.ts';`],
  [arrows, 'src/queues/belt/reach.ts', `export * from '../../stores/wood/shelf.ts';`],
  [arrows, 'src/queues/belt/reach.ts', `export * from '../../pipeline/carry.ts';`],
  [arrows, 'src/compose/reach.ts', `export * from '../cli/main.ts';`],
  [arrows, 'src/cli/reach.ts', `export * from '../stores/wood/shelf.ts';`],
  [arrows, 'src/conformance/reach.ts', `export * from '../stores/wood/shelf.ts';`],
  [arrows, 'workers/reach.ts', `export * from '../src/pipeline/carry.ts';`],

  [foreign, 'src/domain/disk.ts', `export { open } from 'node:fs';`],
  [foreign, 'src/domain/disk.ts', `import type { Stats } from 'node:fs'; export type S = Stats;`],
  [foreign, 'src/pipeline/disk.ts', `export * from 'node:timers/promises';`],
  [
    foreign,
    'src/pipeline/disk.ts',
    `import { setTimeout, setImmediate } from 'node:timers/promises'; export const a = [setTimeout, setImmediate];`,
  ],
  [foreign, 'src/domain/pack.ts', `export * from 'listed';`],
  [foreign, 'src/compose/pack.ts', `export * from 'unlisted';`],
  [foreign, 'src/compose/pack.ts', `export * from '@listed/but-another';`],
  [foreign, 'src/conformance/suite.ts', `export { test } from 'vitest';`],

  ...[
    'Date.now()',
    'new Date()',
    'Date()',
    'Math.random()',
    `process.env['A']`,
    'console.log(1)',
    `fetch('')`,
    'setTimeout(() => {}, 1)',
    'performance.now()',
    'globalThis.process',
    '({ process })',
    'crypto.randomUUID()',
  ].map((use) => [ambient, 'src/domain/ambient.ts', `export const use = () => ${use};`] as const),
  [
    ambient,
    'src/domain/ambient.ts',
    `import { randomBytes } from 'node:crypto'; export const use = () => randomBytes(1);`,
  ],
  [ambient, 'src/pipeline/ambient.ts', 'export const use = () => Date.now();'],
  [ambient, 'src/stores/glass/ambient.ts', 'export const use = () => Math.random();'],

  [loading, 'src/domain/loading.ts', `import './word.ts';`],
  [loading, 'src/domain/loading.ts', 'export let state = 1;'],
  [loading, 'src/domain/loading.ts', 'export const words: string[] = []; words.push("a");'],
  [loading, 'src/domain/loading.ts', 'for (const word of ["a"]) String(word);'],
  [loading, 'src/compose/loading.ts', 'export const answer = await Promise.resolve(1);'],
  [loading, 'src/compose/loading.ts', `export const home = process.env['HOME'];`],
  [loading, 'src/compose/loading.ts', `import { readFileSync } from 'node:fs'; export const text = readFileSync('a');`],
  [loading, 'src/compose/loading.ts', `import * as fs from 'node:fs'; export const text = fs.readFileSync('a');`],
  [loading, 'src/compose/loading.ts', 'export class Clock { static readonly start = Date.now(); }'],
  [loading, 'src/compose/loading.ts', 'export class Clock { static { console.log(1); } }'],

  [cycle, 'src/domain/itself.ts', `export * from './itself.ts';`],

  [escapes, 'src/domain/escape.ts', 'export const a = (x: any) => x;'],
  [escapes, 'src/domain/escape.ts', 'export const a = (x?: string): string => x!;'],
  [escapes, 'src/domain/escape.ts', 'export const a = (x: string) => x as never;'],
  [escapes, 'src/domain/escape.ts', '// @ts-expect-error\nexport const a = 1;'],
  [
    escapes,
    'src/domain/escape.ts',
    '// biome-ignore-all lint/suspicious/noControlCharactersInRegex: no\nexport const a = 1;',
  ],
  [escapes, 'src/domain/escape.ts', '// biome-ignore lint/suspicious/noExplicitAny: no\nexport const a = 1;'],

  [length, 'src/domain/long.ts', lines(301)],

  [naming, 'src/domain/string-utils.ts', 'export const a = 1;'],
  [naming, 'src/domain/manager/a.ts', 'export const a = 1;'],
  [naming, 'src/domain/a.ts', 'export class SessionManager {}'],
  [naming, 'src/domain/a.ts', 'export function parseHelper() {}'],
  [naming, 'src/domain/a.ts', 'export const stringUtil = 1;'],
];

const circle: Tree = {
  'src/domain/one.ts': `export * from './two.ts';`,
  'src/domain/two.ts': `import type { Three } from './three.ts'; export type Two = Three;`,
  'src/domain/three.ts': `export type { Two as Three } from './one.ts';`,
};

export const planted: readonly Planted[] = [
  ...cases.map(([rule, at, text]) => ({ rule, at, tree: { [at]: text } })),
  { rule: cycle, at: 'src/domain/one.ts', tree: circle },
];
