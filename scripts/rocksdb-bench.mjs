import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Refusal, root } from './project.mjs';
import { buildAddon, quickestRoute, rocksdbVersion, whyNotBuilt } from './rocksdb-addon.mjs';
import { hasRocksdbLibrary, provideLibclang, rocksdbEnvironment } from './rocksdb-library.mjs';
import { cacheDirectory } from './services/cache.mjs';

/**
 * Builds the addon, and the Rust program that its store is measured beside. Returns the environment in which the bench
 * finds the program; empty where there is no Rust.
 *
 * @returns {Promise<Record<string, string>>}
 */
export async function provideRocksdbBench() {
  if (whyNotBuilt() !== undefined) return {};
  await buildAddon(quickestRoute());
  await provideLibclang();
  const target = join(cacheDirectory(), 'rocksdb-bench-target');
  const environment = hasRocksdbLibrary() ? await rocksdbEnvironment(rocksdbVersion) : {};
  const manifest = join(root, 'bench/rocksdb/Cargo.toml');
  const { status } = spawnSync('cargo', ['build', '--release', '--locked', '--quiet', '--manifest-path', manifest], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment, CARGO_TARGET_DIR: target },
  });
  if (status !== 0) throw new Refusal('cargo did not build the program of the RocksDB bench.');
  return { BENCH_ROCKSDB_PROGRAM: join(target, 'release/rocksdb-bench') };
}
