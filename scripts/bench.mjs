/** `npm run bench [NAME…]`: installs and compiles what is missing, and runs the benchmarks, or those named. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';
import { provideRocksdbBench } from './rocksdb-bench.mjs';

try {
  requireNode();
  installDependencies();
  build('tsconfig.bench.json', 'dist-bench');
  const wanted = process.argv.slice(2);
  const environment = wanted.length === 0 || wanted.includes('rocksdb') ? await provideRocksdbBench() : {};
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
