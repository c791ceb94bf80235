import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';

// A tool that looks at nothing finds nothing. Each tool of `npm run check` is run, with the project's own settings, on
// a tree that looks like the project and in which something is wrong.

let directory: string;

const planted: Readonly<Record<string, string>> = {
  'src/index.ts': `import { used } from './domain/word.ts';\nimport { missing } from 'unlisted-package';\n\nexport const all = [used, missing];\n`,
  'src/domain/word.ts': `export const used = 1;\nexport const unusedExport = 2;\nexport type UnusedType = string;\n`,
  'src/domain/orphan.ts': `export const orphan = 1;\n`,
  'src/domain/mistyped.ts': `export const a: string = 1;\nexport const b = (x) => x;\nexport enum C {\n  D,\n}\n`,
  'scripts/mistyped.mjs': `/** @type {string} */\nexport const a = 1;\n`,
  'src/domain/untidy.ts': `import { used } from './word.ts';
export type Used = typeof used
export const a = "double"
export const b = (x: any) => x!;
console.log(a);
`,
  'src/domain/default.ts': `export default 1;\n`,
  'test/unit/mistyped.test.ts': `export const a: string = 1;\n`,
  'vitest.config.ts': `export default {};\n`,
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'planted-project-'));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const file of ['tsconfig.json', 'biome.json', 'knip.json', '.gitignore']) {
    cpSync(join(root, file), join(directory, file));
  }
  writeFileSync(
    join(directory, 'package.json'),
    `${JSON.stringify({ name: 'planted', type: 'module', dependencies: { 'unused-package': '1' } }, null, 2)}\n`,
  );
  for (const [path, text] of Object.entries(planted)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
});

afterAll(() => rmSync(directory, { recursive: true }));

function run(tool: string, ...parameters: string[]): { readonly status: number | null; readonly output: string } {
  const program = join(root, 'node_modules', tool);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...parameters], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, output: stdout + stderr };
}

describe('the compiler', () => {
  test('reports what is mistyped, in sources, tests and scripts', () => {
    const { status, output } = run('typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', 'false');
    expect(status).not.toBe(0);
    expect(output).toContain('src/domain/mistyped.ts(1,');
    expect(output).toMatch(/src\/domain\/mistyped\.ts\(2,.*TS7006/);
    expect(output).toMatch(/src\/domain\/mistyped\.ts\(3,.*TS1294/);
    expect(output).toContain('test/unit/mistyped.test.ts(1,');
    expect(output).toContain('scripts/mistyped.mjs(2,');
  });
});

describe('biome', () => {
  test('reports what is untidy', () => {
    const { status, output } = run(
      '@biomejs/biome/bin/biome',
      'check',
      '--error-on-warnings',
      '--max-diagnostics=none',
    );
    expect(status).not.toBe(0);
    for (const rule of ['noExplicitAny', 'noNonNullAssertion', 'noConsole', 'useImportType', 'noDefaultExport']) {
      expect(output).toContain(rule);
    }
    expect(output).toContain('src/domain/untidy.ts format');
    expect(output).toMatch(/src\/domain\/default\.ts.*noDefaultExport/);
    expect(output).not.toMatch(/vitest\.config\.ts.*noDefaultExport/);
  });
});

describe('knip', () => {
  test('reports what is unused and what is unlisted', () => {
    const { status, output } = run('knip/bin/knip.js', '--reporter', 'compact');
    expect(status).not.toBe(0);
    for (const found of ['src/domain/orphan.ts', 'unusedExport', 'UnusedType', 'unused-package', 'unlisted-package']) {
      expect(output).toContain(found);
    }
    expect(output).not.toMatch(/\bused\b(?!-)/);
  });
});
