/** `npm run bench [NAME…]`: installs and compiles what is missing, and runs the benchmarks, or those named. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';
import { provideUpstreamBench } from './upstream-bench.mjs';

try {
  requireNode();
  installDependencies();
  build('tsconfig.bench.json', 'dist-bench');
  const wanted = process.argv.slice(2);
  const besideUpstream = wanted.length === 0 || wanted.includes('file') || wanted.includes('rocksdb');
  const environment = besideUpstream ? await provideUpstreamBench() : {};
  const program = join(root, 'dist-bench/bench/main.js');
  const { status } = spawnSync(process.execPath, ['--expose-gc', program, ...wanted], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exitCode = 1;
}
