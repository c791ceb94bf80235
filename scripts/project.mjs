import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, also for a copy of this file that was compiled into a folder of its own. */
export const root = nearest('package-lock.json', dirname(fileURLToPath(import.meta.url)));

/** An ending that is the user's to read: a message, no stack. */
export class Refusal extends Error {}

const oldest = { major: 20, minor: 19 };

/** Throws unless this Node is new enough. */
export function requireNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  throw new Refusal(`Node ${oldest.major}.${oldest.minor} or newer is needed; this is Node ${version}.`);
}

/** Installs what `package-lock.json` names, unless exactly that is installed already. */
export function installDependencies() {
  const reason = staleness(readPackages('package-lock.json'), readPackages('node_modules/.package-lock.json'));
  if (reason === undefined) return;
  console.log(`Installing dependencies (${reason}): npm ci`);
  run(...npm(['ci', '--no-fund', '--no-audit']), 'npm ci failed; is the package registry reachable?');
}

/**
 * Why `installed` is not what `wanted` asks for, or undefined when it is. Both as lock files list packages, by path.
 *
 * @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages
 * @param {Packages | undefined} wanted
 * @param {Packages | undefined} installed
 */
export function staleness(wanted, installed) {
  if (wanted === undefined) throw new Refusal('package-lock.json is missing: is this a whole clone?');
  if (installed === undefined) return 'there are none';
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages are left out by npm where they do not fit the platform.
    if (found === undefined && !optional && !devOptional) return `${path} is missing`;
    if (found !== undefined && found.version !== version) return `${path} is ${found.version}, not ${version}`;
  }
  return undefined;
}

/**
 * @param {string} lockFile relative to the root
 * @returns {Packages | undefined}
 */
function readPackages(lockFile) {
  const path = join(root, lockFile);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/**
 * Compiles what `project` includes into `output`, and removes from there what has no source any more. As it stands:
 * `src` and `workers` into `dist`.
 */
export function build(project = 'tsconfig.build.json', output = 'dist') {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [compiler, '-p', project], 'The build failed.');
  const built = join(root, output);
  for (const file of readdirSync(built, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const source = path.replace(built, root).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (!existsSync(source)) rmSync(path);
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {string} complaint what to say when it fails
 */
function run(command, parameters, complaint) {
  const { status, error } = spawnSync(command, parameters, { cwd: root, stdio: 'inherit' });
  if (error !== undefined || status !== 0) throw new Refusal(error ? `${complaint} (${error.message})` : complaint);
}

/**
 * npm as this very Node runs it, so that the packages fit it, where npm started us; else the one on the path.
 *
 * @param {string[]} parameters
 * @returns {[string, string[]]}
 */
function npm(parameters) {
  const script = process.env['npm_execpath'];
  if (script !== undefined && basename(script) === 'npm-cli.js') return [process.execPath, [script, ...parameters]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', parameters];
}

/**
 * The nearest directory, from `directory` upwards, that holds the file.
 *
 * @param {string} file
 * @param {string} directory
 * @returns {string}
 */
function nearest(file, directory) {
  if (existsSync(join(directory, file))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Refusal(`${file} is missing: is this a whole clone?`);
  return nearest(file, parent);
}
