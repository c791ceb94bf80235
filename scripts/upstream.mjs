import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { provideByPackages } from './debian-packages.mjs';
import { root } from './project.mjs';
import { hasRocksdbLibrary, provideLibclang, rocksdbEnvironment } from './rocksdb-library.mjs';
import { provideRust, runCargo } from './rust.mjs';
import { cacheDirectory, cached } from './services/cache.mjs';

/** @import { RocksdbVersion } from './rocksdb-library.mjs' */

/**
 * The releases of upstream that are tried, and which RocksDB each binds.
 *
 * @type {Readonly<Record<string, RocksdbVersion>>}
 */
const releases = { '0.4.0': '8.10.0', '0.13.0': '11.8.1' };

/** Compiling RocksDB takes this long on two busy cores; where its library can be fetched, all takes a few minutes. */
const minutes = 60;

/** A release as cargo makes one, but for how fast it runs, which is most of what making it takes. */
const quickly = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '256',
};

/**
 * Builds our program on each release of macp-storage (`test/interop/storage-RELEASE`), and says where it is. What cargo
 * makes is kept between runs.
 *
 * @param {string} scratch a directory of this run
 */
export async function provideStoragePrograms(scratch) {
  await provideBuildTools();
  /** @type {Record<string, string>} */
  const environment = {};
  for (const release of Object.keys(releases)) {
    const target = join(cacheDirectory(), `interop-storage-${release}`);
    console.log(`Building our program on macp-storage ${release}`);
    runCargo(['build', '--locked', '--quiet'], {
      directory: join(root, `test/interop/storage-${release}`),
      environment: { ...(await buildEnvironment(release)), CARGO_TARGET_DIR: target },
      minutes,
      what: `The program on macp-storage ${release}`,
    });
    // Another clone may build its own there while the tests run.
    const program = join(scratch, `interop-storage-${release}`);
    copyFileSync(join(target, 'debug/interop-storage'), program);
    environment[variable('STORAGE', release)] = program;
  }
  return { environment };
}

/**
 * Installs the unmodified macp-runtime of each release from crates.io, once, and says where it is.
 */
export async function provideRuntimes() {
  await provideBuildTools();
  /** @type {Record<string, string>} */
  const environment = {};
  for (const release of Object.keys(releases)) {
    const directory = await cached(`macp-runtime-${release}`, (place) => installRuntime(release, place));
    environment[variable('RUNTIME', release)] = join(directory, 'bin/macp-runtime');
  }
  return { environment };
}

/**
 * @param {string} release
 * @param {string} place
 */
async function installRuntime(release, place) {
  const target = join(place, 'target');
  mkdirSync(target);
  console.log(`Installing macp-runtime ${release} from crates.io`);
  const environment = { ...(await buildEnvironment(release)), ...quickly, CARGO_TARGET_DIR: target };
  const what = `macp-runtime ${release}`;
  const parameters = [
    ...['install', 'macp-runtime', '--version', `=${release}`, '--bin', 'macp-runtime', '--root', place, '--quiet'],
    ...['--features', 'redis-backend,rocksdb-backend'],
  ];
  try {
    // With the versions that it was released with: 0.4.0 does not compile with those of today.
    runCargo([...parameters, '--locked'], { directory: place, environment, minutes, what });
  } catch (error) {
    if (release === '0.4.0') throw error;
    console.log(`${what} was not installed as it was released; with today's versions of what it depends on, then`);
    runCargo(parameters, { directory: place, environment, minutes, what });
  }
  rmSync(target, { recursive: true });
}

async function provideBuildTools() {
  await provideRust();
  await provideLibclang();
  await provideByPackages({
    what: 'the compiler of protocol buffers, protoc',
    purpose: 'Building upstream',
    packages: ['protobuf-compiler'],
    works: () => spawnSync('protoc', ['--version']).status === 0,
  });
}

/** @param {string} release */
async function buildEnvironment(release) {
  const rocksdb = releases[release];
  return rocksdb !== undefined && hasRocksdbLibrary() ? await rocksdbEnvironment(rocksdb) : {};
}

/**
 * @param {string} what
 * @param {string} release
 */
function variable(what, release) {
  return `MACP_PERSIST_TEST_${what}_${release.replaceAll('.', '_')}`;
}
