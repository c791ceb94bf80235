import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Refusal, root } from './project.mjs';
import {
  hasRocksdbLibrary,
  libraryName,
  provideLibclang,
  provideRocksdbLibrary,
  rocksdbEnvironment,
} from './rocksdb-library.mjs';
import { cacheDirectory, cached } from './services/cache.mjs';

/** The release of RocksDB that the crate in `native/rocksdb/Cargo.toml` binds. */
export const rocksdbVersion = '11.8.1';
const sources = join(root, 'native/rocksdb');
const addonName = 'macp-persist-rocksdb.node';

/** @typedef {'library' | 'source'} Route how RocksDB comes into the addon: as a shared library beside it, or compiled */

/** Why the addon cannot be built on this machine; undefined where it can. */
export function whyNotBuilt() {
  if (spawnSync('cargo', ['--version']).status === 0) return undefined;
  return 'Rust is not installed: there is no cargo';
}

/** The quicker route that there is on this machine. */
export function quickestRoute() {
  return /** @type {Route} */ (hasRocksdbLibrary() ? 'library' : 'source');
}

/**
 * Builds the addon, unless these very sources were built before, and puts it into `native/rocksdb/built`. Throws a
 * Refusal that says what to do where that is not possible.
 *
 * @param {Route} route
 * @param {string} [destination]
 */
export async function buildAddon(route, destination = join(sources, 'built')) {
  const reason = whyNotBuilt();
  if (reason !== undefined) throw new Refusal(`${reason}. Install it from https://rustup.rs, then try again.`);
  const name = `rocksdb-addon-${process.platform}-${process.arch}-${route}-${digestOfSources()}`;
  let compiled = false;
  const built = await cached(name, async (directory) => {
    await compile(route, directory);
    compiled = true;
  });
  if (!compiled) console.log(`The RocksDB addon was built of these sources before: ${built}`);
  mkdirSync(destination, { recursive: true });
  for (const file of readdirSync(built)) place(join(built, file), join(destination, file));
  if (route === 'source') rmSync(join(destination, libraryName), { force: true });
  const { INTERFACE_VERSION: version } = createRequire(import.meta.url)(join(destination, addonName));
  return { file: join(destination, addonName), version: Number(version) };
}

/**
 * @param {Route} route
 * @param {string} directory
 */
async function compile(route, directory) {
  await provideLibclang();
  const isLibrary = route === 'library';
  console.log(
    isLibrary
      ? `Building the RocksDB addon on RocksDB ${rocksdbVersion} as a shared library: about a minute`
      : `Building the RocksDB addon with RocksDB ${rocksdbVersion} from source: 10 minutes or more`,
  );
  const target = join(cacheDirectory(), 'rocksdb-addon-target', route);
  const environment = isLibrary ? await rocksdbEnvironment(rocksdbVersion) : {};
  const features = isLibrary ? [] : ['--features', 'from-source'];
  const manifest = ['--manifest-path', join(sources, 'Cargo.toml')];
  const { status } = spawnSync('cargo', ['build', '--release', '--locked', ...manifest, ...features], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment, CARGO_TARGET_DIR: target },
  });
  if (status !== 0) throw new Refusal('cargo did not build the RocksDB addon.');
  copyFileSync(join(target, 'release', cargoName()), join(directory, addonName));
  if (!isLibrary) return;
  copyFileSync(join(await provideRocksdbLibrary(rocksdbVersion), libraryName), join(directory, libraryName));
}

function cargoName() {
  if (process.platform === 'win32') return 'macp_persist_rocksdb.dll';
  return `libmacp_persist_rocksdb.${process.platform === 'darwin' ? 'dylib' : 'so'}`;
}

/** Of everything that cargo compiles, so that what was built of other sources is not taken for it. */
function digestOfSources() {
  const digest = createHash('sha256');
  const names = [
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    ...readdirSync(join(sources, 'src')).map((name) => `src/${name}`),
  ];
  for (const name of names.sort())
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(sources, name)))
      .update('\0');
  return digest.digest('hex').slice(0, 16);
}

/**
 * Puts a copy into its place in one step: a process may have the old one loaded.
 *
 * @param {string} from
 * @param {string} to
 */
function place(from, to) {
  if (existsSync(to) && sameContent(from, to)) return;
  const draft = join(dirname(to), `.${process.pid}-${createHash('sha256').update(to).digest('hex').slice(0, 8)}`);
  copyFileSync(from, draft);
  renameSync(draft, to);
}

/**
 * @param {string} one
 * @param {string} other
 */
function sameContent(one, other) {
  return statSync(one).size === statSync(other).size && readFileSync(one).equals(readFileSync(other));
}
