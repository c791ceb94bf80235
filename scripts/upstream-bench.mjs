import { join } from 'node:path';
import { root } from './project.mjs';
import { buildAddon, quickestRoute, rocksdbVersion, whyNotBuilt } from './rocksdb-addon.mjs';
import { hasRocksdbLibrary, provideLibclang, rocksdbEnvironment } from './rocksdb-library.mjs';
import { runCargo } from './rust.mjs';
import { cacheDirectory } from './services/cache.mjs';

/**
 * Builds the RocksDB addon, and the Rust program that the stores of macp-runtime's layouts are measured beside. Returns
 * the environment in which the bench finds the program; empty where there is no Rust.
 *
 * @returns {Promise<Record<string, string>>}
 */
export async function provideUpstreamBench() {
  if (whyNotBuilt() !== undefined) return {};
  await buildAddon(quickestRoute());
  await provideLibclang();
  const target = join(cacheDirectory(), 'upstream-bench-target');
  const environment = hasRocksdbLibrary() ? await rocksdbEnvironment(rocksdbVersion) : {};
  runCargo(['build', '--release', '--locked', '--quiet'], {
    directory: join(root, 'bench/upstream'),
    environment: { ...environment, CARGO_TARGET_DIR: target },
    minutes: 60,
    what: 'The Rust program of the bench',
  });
  return { BENCH_UPSTREAM_PROGRAM: join(target, 'release/upstream-bench') };
}
