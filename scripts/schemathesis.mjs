import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { provideByPackages } from './debian-packages.mjs';
import { Refusal, root } from './project.mjs';

const version = '4.32.5';
const purpose = 'The fuzz suite';
/** Kept between runs, and gone with the packages of npm. */
const directory = join(root, 'node_modules/.cache', `schemathesis-${version}`);
const program = join(directory, process.platform === 'win32' ? 'Scripts/st.exe' : 'bin/st');

/**
 * Makes sure that schemathesis (https://schemathesis.readthedocs.io) of one version is there, in a Python environment
 * of its own, and tells the tests where, as `SCHEMATHESIS`.
 */
export async function provideSchemathesis() {
  if (!isInstalled()) {
    const packages = ['python3', 'python3-venv', 'python3-pip'];
    await provideByPackages({ what: 'Python 3.10 or newer with venv', purpose, packages, works: hasPython });
    console.log(`Installing schemathesis ${version} for the fuzz suite into ${directory}`);
    // What an interrupted installation left is not to be built on.
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(dirname(directory), { recursive: true });
    run('python3', ['-m', 'venv', directory]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-input'];
    run(join(dirname(program), 'python'), ['-m', 'pip', 'install', ...options, `schemathesis==${version}`]);
    if (!isInstalled()) throw new Refusal(`pip installed schemathesis, but ${program} does not run.`);
  }
  return { environment: { SCHEMATHESIS: program } };
}

function isInstalled() {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 && stdout.trim().endsWith(` ${version}`);
}

/** Whether Python is new enough and makes environments: Debian keeps the part that puts pip into them apart. */
function hasPython() {
  const probe = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
  return spawnSync('python3', ['-c', probe]).status === 0;
}

/**
 * @param {string} command
 * @param {readonly string[]} parameters
 */
function run(command, parameters) {
  const { status, error } = spawnSync(command, parameters, { stdio: 'inherit' });
  const complaint = `The fuzz suite needs schemathesis, but ${command} ${parameters.join(' ')} failed`;
  if (error !== undefined || status !== 0) throw new Refusal(`${complaint}; is PyPI reachable?`);
}
