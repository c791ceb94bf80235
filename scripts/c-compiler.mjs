import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideByPackages } from './debian-packages.mjs';

/** Makes sure that `cc` compiles a shared library: the power-cut suite compiles the shim that cuts the power. */
export async function provideCCompiler() {
  await provideByPackages({
    what: 'a C compiler called cc',
    purpose: 'The power-cut suite',
    packages: ['gcc', 'libc6-dev'],
    works: compiles,
  });
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
