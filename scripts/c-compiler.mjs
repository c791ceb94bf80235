import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Refusal } from './project.mjs';

const packages = ['gcc', 'libc6-dev'];

/** Makes sure that `cc` compiles a shared library: the power-cut suite compiles the shim that cuts the power. */
export async function provideCCompiler() {
  if (compiles()) return;
  const install = `apt-get install -y ${packages.join(' ')}`;
  const asRoot = process.getuid?.() === 0;
  if (!asRoot || spawnSync('apt-get', ['--version']).status !== 0) {
    throw new Refusal(`The power-cut suite needs a C compiler called cc. On Debian or Ubuntu: sudo ${install}`);
  }
  if (process.stdin.isTTY && !(await agreed(`The power-cut suite needs a C compiler. Run ${install}?`))) {
    throw new Refusal('Without a C compiler the power-cut suite cannot run.');
  }
  console.log(`Installing a C compiler for the power-cut suite: ${install}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The lists are fetched only when needed: on a fresh machine there are none.
  for (const parameters of [['install'], ['update'], ['install']]) {
    const last = parameters[0] === 'update' ? [] : ['-y', ...packages];
    spawnSync('apt-get', ['-q', ...parameters, ...last], { stdio: 'inherit', env: environment });
    if (compiles()) return;
  }
  throw new Refusal(`${install} did not bring a working C compiler.`);
}

function compiles() {
  const directory = mkdtempSync(join(tmpdir(), 'c-compiler-'));
  try {
    const source = join(directory, 'probe.c');
    writeFileSync(source, '#include <dlfcn.h>\n#include <unistd.h>\nint probe(int file) { return fsync(file); }\n');
    return spawnSync('cc', ['-shared', '-fPIC', '-o', join(directory, 'probe.so'), source]).status === 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {string} question */
async function agreed(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(|y|yes)$/i.test((await terminal.question(`${question} [Y/n] `)).trim());
  } finally {
    terminal.close();
  }
}
