import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { provideByPackages } from './debian-packages.mjs';
import { Refusal } from './project.mjs';
import { cached } from './services/cache.mjs';

/**
 * RocksDB as a shared library, so that the crate `rocksdb` need not compile its C++ (10 to 20 minutes on two cores).
 * Maven Central's `rocksdbjni` holds one that exports the whole C API with every codec.
 *
 * By RocksDB's version, SHA-256 of the libraries in it, by name. 8.10.0 is what the crate 0.22 binds (macp-storage
 * 0.4.0), 11.8.1 what 0.25 binds (macp-storage 0.13.0, and our own addon).
 */
const libraries = {
  '8.10.0': {
    linux64: '463dbd32f64d3f290ff9a250673b39e60d0c3ba240da2f52ca3ab2fa5f882f34',
    'linux64-musl': 'b0c1cf215445302268bfd89ecbed702293c6bd2a9ef1aeeb8f09d8df925416e6',
    'linux-aarch64': 'c2bf1a8a840441d67dadf69bb41935fdf2b9435adc45083318a4eec7d74e5ff3',
    'linux-aarch64-musl': '6087d1f7767a2b56910a5928bf82dc1572a05ff5ef2ad13589cf57444ef40cf1',
  },
  '11.8.1': {
    linux64: '265c656af5c6502cb8d71db1a74858509f706cc47f1a5b6f603c736d11ce677d',
    'linux64-musl': 'da7bf4bfbc321c95cfbc36294211ef825241132a0f1f53f027c507a59cbb0010',
    'linux-aarch64': '7b2d0808c6afae32db39f11cb61cbefffcf460895b1c64ee6193ba02d6bdd23a',
    'linux-aarch64-musl': '7cb5d084db08dc68fd1208d2c9c9a2547402d5b718cb9b7a5d0e49199f1b702e',
  },
};

/** @typedef {keyof typeof libraries} RocksdbVersion */

/** The releases that there are libraries of. */
export const rocksdbVersions = /** @type {RocksdbVersion[]} */ (Object.keys(libraries));

/** What the file is called that cargo links, and that must be found where the result is run. */
export const libraryName = 'librocksdb.so';

/** @returns {keyof typeof libraries[RocksdbVersion] | undefined} undefined where none is made for this machine */
function platformName() {
  if (process.platform !== 'linux') return undefined;
  const header = /** @type {{ header?: { glibcVersionRuntime?: string } } | undefined} */ (process.report.getReport());
  const isMusl = header?.header?.glibcVersionRuntime === undefined;
  if (process.arch === 'x64') return isMusl ? 'linux64-musl' : 'linux64';
  if (process.arch === 'arm64') return isMusl ? 'linux-aarch64-musl' : 'linux-aarch64';
  return undefined;
}

/** Whether {@link provideRocksdbLibrary} has something for this machine. */
export function hasRocksdbLibrary() {
  return platformName() !== undefined;
}

/**
 * A directory that holds RocksDB as `librocksdb.so`, fetched on first use (67 MB or 92 MB) and kept between runs.
 * Throws a Refusal that says what to do where there is none for this machine, or it cannot be fetched.
 *
 * @param {RocksdbVersion} version
 */
export async function provideRocksdbLibrary(version) {
  const platform = platformName();
  if (platform === undefined) {
    throw new Refusal(`Maven Central has no RocksDB library for ${process.platform} on ${process.arch}.`);
  }
  return await cached(`rocksdb-${version}-${platform}`, (directory) => fetchLibrary(version, platform, directory));
}

/**
 * What cargo needs in its environment to build on RocksDB of this version without compiling it. What is built finds the
 * library where it lies now, or beside itself.
 *
 * @param {RocksdbVersion} version
 * @returns {Promise<{ ROCKSDB_LIB_DIR: string, RUSTFLAGS: string }>}
 */
export async function rocksdbEnvironment(version) {
  const directory = await provideRocksdbLibrary(version);
  const places = ['$ORIGIN', directory].map((place) => `-Clink-arg=-Wl,-rpath,${place}`);
  return {
    ROCKSDB_LIB_DIR: directory,
    RUSTFLAGS: [process.env['RUSTFLAGS'] ?? '', ...places].join(' ').trim(),
  };
}

/** Makes sure that there is libclang, with which the crate `rocksdb` reads RocksDB's C header in either way of building. */
export async function provideLibclang() {
  await provideByPackages({
    what: 'libclang',
    purpose: 'Building on RocksDB',
    packages: ['libclang-dev'],
    works: hasLibclang,
  });
}

function hasLibclang() {
  const named = process.env['LIBCLANG_PATH'];
  if (named !== undefined) return existsSync(named);
  // Xcode brings it, and bindgen finds it there.
  if (process.platform === 'darwin') return true;
  const versions = readable('/usr/lib').filter((name) => name.startsWith('llvm-'));
  const places = ['/usr/lib', '/usr/lib64', ...versions.map((name) => `/usr/lib/${name}/lib`)];
  return places.some((place) => readable(place).some((name) => /^libclang(-\d+(\.\d+)*)?\.so/.test(name)));
}

/** @param {string} directory */
function readable(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * @param {RocksdbVersion} version
 * @param {keyof typeof libraries[RocksdbVersion]} platform
 * @param {string} directory
 */
async function fetchLibrary(version, platform, directory) {
  await provideByPackages({
    what: 'Maven called mvn',
    purpose: 'Fetching RocksDB',
    packages: ['maven'],
    works: () => spawnSync('mvn', ['--version']).status === 0,
  });
  console.log(`Fetching RocksDB ${version} from Maven Central (org.rocksdb:rocksdbjni)`);
  const name = `librocksdbjni-${platform}.so`;
  const { status } = spawnSync(
    'mvn',
    [
      ...['-q', '-B', '-Dstyle.color=never', 'org.apache.maven.plugins:maven-dependency-plugin:unpack'],
      `-Dartifact=org.rocksdb:rocksdbjni:${version}`,
      `-Dmdep.unpack.includes=${name}`,
      `-DoutputDirectory=${directory}`,
    ],
    { cwd: directory, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const fetched = join(directory, name);
  if (status !== 0 || !existsSync(fetched)) {
    throw new Refusal(`Maven did not bring RocksDB ${version}; is Maven Central reachable?`);
  }
  const digest = createHash('sha256').update(readFileSync(fetched)).digest('hex');
  if (digest !== libraries[version][platform]) {
    throw new Refusal(`${name} of rocksdbjni ${version} is not the one that this project was built on: ${digest}`);
  }
  renameSync(fetched, join(directory, libraryName));
}
