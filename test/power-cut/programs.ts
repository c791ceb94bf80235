import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles the programs of a folder under `test` and the CLI, with everything under `src` that they import, to plain
 * JavaScript that a Node process of its own can run, and returns the folder that mirrors the repository. `name` keeps
 * apart what test files that run at the same time compile.
 */
export async function compilePrograms(name: string, folder = 'power-cut'): Promise<string> {
  const output = join(repository, 'node_modules/.cache', folder, name);
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'package.json'), '{"type":"module","version":"0.0.0"}');
  // Where the stores look for what they load.
  if (!existsSync(join(output, 'native'))) symlinkSync(join(repository, 'native'), join(output, 'native'));
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const project = join(repository, 'test', folder, 'tsconfig.json');
  try {
    await run(process.execPath, [compiler, '-p', project, '--outDir', output], { cwd: repository });
  } catch (cause) {
    const told = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : '';
    throw new Error(`the test programs do not compile:\n${told}`, { cause });
  }
  return output;
}
