/** `npm run bench [NAME…]`: installs and compiles what is missing, and runs the benchmarks, or those named. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { provideFaketime } from './faketime.mjs';
import { provideKafkaStreamsBench } from './kafka-streams-bench.mjs';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';
import { provideRuntimes } from './upstream.mjs';
import { provideUpstreamBench } from './upstream-bench.mjs';

try {
  requireNode();
  installDependencies();
  build('tsconfig.bench.json', 'dist-bench');
  const wanted = process.argv.slice(2);
  /** @param {...string} names */
  const isWanted = (...names) => wanted.length === 0 || names.some((name) => wanted.includes(name));
  const isFailover = isWanted('failover');
  // Its processes are those of the tests, which are built as one installs them.
  if (isFailover) build();
  const environment = {
    ...(isFailover ? { ...(await provideFaketime()).environment, ...(await provideRuntimes()).environment } : {}),
    ...(isWanted('file', 'rocksdb') ? await provideUpstreamBench() : {}),
    ...(isWanted('replay') ? await provideKafkaStreamsBench() : {}),
  };
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
