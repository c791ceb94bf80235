import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf } from '../support/console.ts';
import { freshDirectory } from '../support/program.ts';
import { startService } from '../support/service.ts';

const run = promisify(execFile);

test('the program of docs/publish-typescript.md compiles under strict rules and prints what is said there', async () => {
  const document = readFileSync(join(root, 'docs/publish-typescript.md'), 'utf8');
  const directory = freshDirectory();
  const service = await startService([], { directory });
  try {
    // A project that has this package installed.
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(root, join(directory, 'node_modules/macp-persist'));
    symlinkSync(join(root, 'node_modules/@types'), join(directory, 'node_modules/@types'));
    const program = blocksOf(document, 'ts').join('').replaceAll('http://127.0.0.1:8080', service.url);
    writeFileSync(join(directory, 'program.mts'), program);
    const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--skipLibCheck'];
    const libraries = ['--lib', 'es2023,es2024.string,esnext.disposable'];
    await run(join(root, 'node_modules/.bin/tsc'), [...options, ...libraries, 'program.mts'], { cwd: directory });
    const { stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd: directory });
    expect(stderr).toBe('');
    expect(stdout).toBe(blocksOf(document, 'text').join(''));
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true });
  }
});
