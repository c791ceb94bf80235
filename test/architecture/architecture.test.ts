import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { type Module, readModules } from './modules.ts';
import { cleanTree, planted, type Tree } from './planted.ts';
import { rules } from './rules.ts';

const folders = ['src', 'workers'];

async function modulesOf(tree: Tree): Promise<readonly Module[]> {
  const directory = await mkdtemp(join(tmpdir(), 'planted-tree-'));
  try {
    for (const [path, text] of Object.entries(tree)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    return readModules(directory, folders);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('the architecture test catches what it is meant to catch', () => {
  const dependencies = new Set(['listed']);

  test('it has nothing against a clean tree, and sees all of it', async () => {
    const modules = await modulesOf(cleanTree);
    expect(modules.map(({ path }) => path)).toEqual(Object.keys(cleanTree).sort());
    expect(rules.flatMap((rule) => rule.find(modules, dependencies))).toEqual([]);
  });

  test('every rule has a planted violation', () => {
    const names = rules.map(({ name }) => name);
    expect(new Set(planted.map(({ rule }) => rule))).toEqual(new Set(names));
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(planted.map((one) => [one.rule, one.at, Object.values(one.tree)[0]?.slice(0, 80), one] as const))(
    '%s: caught in %s: %s',
    async (_, at, __, { rule, tree }) => {
      const modules = await modulesOf({ ...cleanTree, ...tree });
      const found = rules.filter(({ name }) => name === rule).flatMap((one) => one.find(modules, dependencies));
      expect(found).not.toEqual([]);
      for (const problem of found) expect(problem).toMatch(new RegExp(`^(${Object.keys(tree).join('|')}): `));
      expect(found.some((problem) => problem.startsWith(`${at}: `))).toBe(true);
    },
  );

  test('a file that does not parse is an error, not an absence', async () => {
    await expect(modulesOf({ 'src/domain/broken.ts': 'export const = ;' })).rejects.toThrow(SyntaxError);
  });
});

describe('the architecture of this project', async () => {
  const modules = readModules(root, folders);
  const dependencies = new Set(
    Object.keys(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).dependencies),
  );

  test('all modules are seen, with their imports', () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.filter(({ mentions }) => mentions.length > 0).length).toBeGreaterThan(20);
    expect(modules.flatMap(({ mentions }) => mentions).some(({ typeOnly }) => typeOnly)).toBe(true);
  });

  test.each(rules)('$name', ({ find }) => {
    expect(find(modules, dependencies)).toEqual([]);
  });
});
